/** A cron rule as a sentence, such as "At minute 0 of every 2nd hour". Pure. */
import { fieldsOf } from "./rule_problem.ts";

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/** As many single times of the day as are still read at a glance. */
const CLOCK_TIMES_MAX = 4;

/** Of a rule that `cronProblem` finds nothing wrong with. */
export function cronWords(cron: string): string {
  const [second, minute, hour, day, month, weekday] = fieldsOf(cron) as [
    ...[string, string, string],
    ...[string, string, string],
  ];
  const days = dayWords(day, month, weekday);
  const times = clockTimes(second, minute, hour);
  if (times !== null) return `At ${listed(times, "and")} ${days === "" ? "every day" : days}`;
  const words = [...timeWords(second, minute, hour), days].filter((part) => part !== "").join(", ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Where it is due at a few times of the day: those. */
function clockTimes(second: string, minute: string, hour: string): string[] | null {
  const [seconds, minutes, hours] = [second, minute, hour].map(numbersOf);
  if (!seconds || !minutes || !hours || seconds.length > 1) return null;
  if (minutes.length * hours.length > CLOCK_TIMES_MAX) return null;
  const tail = seconds[0] === 0 ? "" : `:${two(seconds[0]!)}`;
  return hours.flatMap((h) => minutes.map((m) => `${two(h)}:${two(m)}${tail}`));
}

/** A list of plain numbers; null where there is anything else. */
function numbersOf(field: string): number[] | null {
  if (!/^\d+(,\d+)*$/.test(field)) return null;
  return [...new Set(field.split(",").map(Number))].sort((a, b) => a - b);
}

function timeWords(second: string, minute: string, hour: string): string[] {
  const isWhole = numbersOf(second)?.join() === "0";
  const parts = isWhole ? [] : [unitWords(second, "second", 60)];
  const everyMinute = isEvery(minute);
  // "Every second" says it for the minutes too.
  if (!(everyMinute && !isWhole)) parts.push(unitWords(minute, "minute", 60));
  if (isEvery(hour)) {
    const isAt = /^at /.test(parts.at(-1) ?? "");
    if (!isAt) return parts;
    return [...parts.slice(0, -1), `${parts.at(-1)} of every hour`];
  }
  const isAtMinute = /^at /.test(parts.at(-1)!);
  if (!isAtMinute) return [...parts, hourWords(hour)];
  return [...parts.slice(0, -1), `${parts.at(-1)} of ${hourWords(hour).replace(/^in /, "")}`];
}

/** `every 5 minutes`, `at minute 0`, `at minutes 5, 10 and 20 to 30`. */
function unitWords(field: string, unit: string, size: number): string {
  if (isEvery(field)) return `every ${unit}`;
  const step = stepOf(field);
  if (step !== null && size % step === 0) return `every ${step} ${unit}s`;
  if (step !== null) return `at every ${ordinal(step)} ${unit}`;
  const items = field.split(",").map((item) => rangeWords(item, unit, String));
  const isOne = items.length === 1 && /^\d+$/.test(field);
  if (items.length === 1 && field.includes("/")) return `at ${items[0]}`;
  return `at ${unit}${isOne ? "" : "s"} ${listed(items, "and")}`;
}

function hourWords(field: string): string {
  const step = stepOf(field);
  if (step !== null) return `in every ${ordinal(step)} hour`;
  const items = field.split(",").map((item) => {
    const range = /^(\d+)-(\d+)$/.exec(item);
    if (range) return `${two(Number(range[1]))}:00 to ${two(Number(range[2]))}:59`;
    return /^\d+$/.test(item) ? String(Number(item)) : rangeWords(item, "hour", String);
  });
  if (items.length === 1 && field.includes("/")) return `in ${items[0]}`;
  if (/^\d+-\d+$/.test(field)) return `in the hours from ${items[0]}`;
  const isOne = /^\d+$/.test(field);
  return `in ${isOne ? "hour" : "the hours"} ${listed(items, "and")}`;
}

/** Empty where it is every day. */
function dayWords(day: string, month: string, weekday: string): string {
  const parts: string[] = [];
  const [anyDay, anyWeekday] = [isEvery(day), isEvery(weekday)];
  if (!anyDay) parts.push(monthDayWords(day));
  // Both given: croner takes a day that is either, as cron always has.
  if (!anyWeekday) parts.push(`${anyDay ? "" : "or "}${weekdayWords(weekday)}`);
  if (!isEvery(month))
    parts.push(`${anyDay && anyWeekday ? "every day " : ""}${monthWords(month)}`);
  else if (!anyDay && anyWeekday && !/month|weekday/.test(parts[0]!)) parts.push("of the month");
  return parts.join(" ");
}

function monthDayWords(field: string): string {
  const step = stepOf(field);
  if (step !== null) return `on every ${ordinal(step)} day of the month`;
  const items = field.split(",").map((item) => {
    if (item === "L") return "the last day of the month";
    const near = /^(\d+)W$/.exec(item);
    if (near) return `the weekday nearest to day ${near[1]} of the month`;
    return rangeWords(item, "day", String);
  });
  const isPlain = items.every((item) => /^\d/.test(item));
  const isOne = items.length === 1 && /^\d+$/.test(field);
  if (!isPlain) {
    return `on ${listed(
      items.map((item) => (/^\d/.test(item) ? `day ${item}` : item)),
      "and",
    )}`;
  }
  return `on ${isOne ? "day" : "days"} ${listed(items, "and")}`;
}

function monthWords(field: string): string {
  const step = stepOf(field);
  if (step !== null) return `in every ${ordinal(step)} month`;
  const name = (text: string) => MONTHS[monthOf(text) - 1] ?? text;
  return `in ${listed(named(field, "month", name), "and")}`;
}

function weekdayWords(field: string): string {
  const step = stepOf(field);
  if (step !== null) return `on every ${ordinal(step)} day of the week`;
  const name = (text: string): string => {
    const nth = /^(\w+)#(\w+)$/.exec(text);
    if (nth)
      return `the ${nth[2] === "L" ? "last" : ordinal(Number(nth[2]))} ${name(nth[1]!)} of the month`;
    const last = /^(\w+?)L$/.exec(text);
    if (last) return `the last ${name(last[1]!)} of the month`;
    return DAYS[weekdayOf(text)] ?? text;
  };
  return `on ${listed(named(field, "day", name), "and")}`;
}

const named = (field: string, unit: string, name: (text: string) => string): string[] =>
  field.split(",").map((item) => rangeWords(item, unit, name));

const monthOf = (text: string) =>
  /^\d+$/.test(text) ? Number(text) : MONTHS.findIndex((m) => startsWith(m, text)) + 1;
const weekdayOf = (text: string) =>
  /^\d+$/.test(text) ? Number(text) % 7 : DAYS.findIndex((d) => startsWith(d, text));

function startsWith(name: string, text: string): boolean {
  return text.length === 3 && name.toUpperCase().startsWith(text.toUpperCase());
}

/** `9 to 17`, `every 2nd minute from 9 to 17`, or the item itself. */
function rangeWords(item: string, unit: string, name: (text: string) => string): string {
  const range = /^(\w+)-(\w+)(?:\/(\d+))?$/.exec(item);
  if (!range) return name(item.replace(/^0+(?=\d)/, ""));
  const [, from, to, step] = range;
  const words = `${name(from!.replace(/^0+(?=\d)/, ""))} to ${name(to!.replace(/^0+(?=\d)/, ""))}`;
  return step === undefined ? words : `every ${ordinal(Number(step))} ${unit} from ${words}`;
}

function isEvery(field: string): boolean {
  return field === "*" || field === "?" || /^[*?]\/1$/.test(field);
}

/** Of a step over all. */
function stepOf(field: string): number | null {
  const [, step] = /^[*?]\/(\d+)$/.exec(field) ?? [];
  return step === undefined ? null : Number(step);
}

function ordinal(n: number): string {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${tail}`;
}

function listed(items: readonly string[], last: string): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

const two = (n: number) => String(n).padStart(2, "0");
