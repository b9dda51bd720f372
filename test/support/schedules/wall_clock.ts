/** Due times found the long way: by reading the wall clock of a place at every ten minutes of a year. */

const TEN_MINUTES = 600_000;

interface Wall {
  at: number;
  day: string;
  month: number;
  /** 0: Sunday. */
  weekday: number;
  /** Minutes since midnight, as the clock on the wall shows. */
  minutes: number;
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** What the wall shows from `from` up to, not including, `to`. */
export function wallClock(timeZone: string, from: number, to: number): Wall[] {
  const format = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone, hourCycle: "h23", weekday: "short" },
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
  });
  const walls: Wall[] = [];
  for (let at = from; at < to; at += TEN_MINUTES) {
    const shown = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
    walls.push({
      at,
      day: `${shown.year}-${shown.month}-${shown.day}`,
      month: Number(shown.month),
      weekday: WEEKDAYS.indexOf(shown.weekday!),
      minutes: Number(shown.hour) * 60 + Number(shown.minute),
    });
  }
  return walls;
}

/** Once on each day: the first time the wall shows it, or the first moment after where it never does. */
export function dailyAt(walls: readonly Wall[], minutes: number): number[] {
  const days = Map.groupBy(walls, ({ day }) => day);
  return [...days.values()].flatMap((day) => {
    const shown = day.find((wall) => wall.minutes === minutes);
    const after = day.find(
      (wall, n) => wall.minutes > minutes && (day[n - 1]?.minutes ?? minutes) < minutes,
    );
    const found = shown ?? after;
    return found === undefined ? [] : [found.at];
  });
}

/** Whenever the wall shows it, however often. */
export function whenever(walls: readonly Wall[], isDue: (wall: Wall) => boolean): number[] {
  return walls.filter(isDue).map(({ at }) => at);
}
