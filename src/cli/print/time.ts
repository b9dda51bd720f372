/** Times and sizes in few words, the same on every screen of the command line. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0.3 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. Never negative. */
export function printDuration(ms: number): string {
  const t = Math.max(0, ms);
  if (t < 9_950) return `${(t / SECOND).toFixed(1)} s`;
  if (t < MINUTE - 500) return `${Math.round(t / SECOND)} s`;
  if (t < HOUR) return pair(Math.round(t / SECOND), 60, "min", "s");
  if (t < DAY) return pair(Math.round(t / MINUTE), 60, "h", "min");
  return pair(Math.round(t / HOUR), 24, "d", "h");
}

function pair(small: number, each: number, bigUnit: string, smallUnit: string): string {
  const rest = small % each;
  const big = `${Math.floor(small / each)} ${bigUnit}`;
  return rest === 0 ? big : `${big} ${rest} ${smallUnit}`;
}

/** `12 s ago`, `in 3 min`; `-` where there is no time. */
export function printAgo(time: string | null | undefined, nowMs: number): string {
  if (!time) return "-";
  const at = Date.parse(time);
  if (Number.isNaN(at)) return "-";
  return at > nowMs + 500 ? `in ${coarse(at - nowMs)}` : `${coarse(nowMs - at)} ago`;
}

/** One unit only: a table has no room for two. */
function coarse(ms: number): string {
  const t = Math.max(0, ms);
  if (t < MINUTE) return `${Math.floor(t / SECOND)} s`;
  if (t < HOUR) return `${Math.floor(t / MINUTE)} min`;
  if (t < 2 * DAY) return `${Math.floor(t / HOUR)} h`;
  return `${Math.floor(t / DAY)} d`;
}

/** From one time to another; undefined where one of them is missing. */
export function between(
  from: string | null | undefined,
  to: string | null | undefined,
): number | undefined {
  if (!from || !to) return undefined;
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** `2026-01-31 08:00:05` in this machine's time zone. */
export function printTime(time: string | null | undefined): string {
  if (!time) return "-";
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "-";
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${printClock(at)}`;
}

/** `08:00:05` in this machine's time zone. */
export function printClock(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
}

/** `512 B`, `3.4 KiB`, `120 MiB`. */
export function printBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let n = bytes;
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}
