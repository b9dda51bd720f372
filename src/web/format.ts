/** Figures as people read them. Pure; every page prints through here so that units agree. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time from milliseconds: "85 ms", "1.2 s", "45 s", "3 m 20 s", "2 h 5 m", "3 d 4 h". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  const t = Math.max(0, ms);
  if (t < 1) return t === 0 ? "0 ms" : "<1 ms";
  if (t < SECOND) return `${Math.floor(t)} ms`;
  if (t < 10 * SECOND) return `${(Math.floor(t / 100) / 10).toFixed(1)} s`;
  if (t < MINUTE) return `${Math.floor(t / SECOND)} s`;
  if (t < HOUR) return pair(t, MINUTE, "m", SECOND, "s");
  if (t < DAY) return pair(t, HOUR, "h", MINUTE, "m");
  return pair(t, DAY, "d", HOUR, "h");
}

function pair(t: number, large: number, largeUnit: string, small: number, smallUnit: string) {
  const rest = Math.floor((t % large) / small);
  const head = `${count(Math.floor(t / large))} ${largeUnit}`;
  return rest === 0 ? head : `${head} ${rest} ${smallUnit}`;
}

/** Thousands are grouped: "12,345". */
export function count(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return "–";
  return upToOf(0).format(Math.round(n));
}

/** At most `digits` decimals, none that say nothing: "0.5", "12", "−3.25". */
export function decimal(n: number | null | undefined, digits = 2): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return "–";
  const text = upToOf(digits).format(n);
  return text.replace(/^-(?=0(?:\.0+)?$)/, "").replace("-", "−");
}

/** With its sign, and as many decimals in every row of a column: "+12.00", "−3.50", "0.00". */
export function signed(n: number, digits = 2): string {
  const fixed = fixedOf(digits).format(Math.abs(n));
  if (!/[1-9]/.test(fixed)) return fixed;
  return `${n < 0 ? "−" : "+"}${fixed}`;
}

const formats = new Map<string, Intl.NumberFormat>();

/** Made once: `toLocaleString` makes one for every number, which was most of what a live row costs. */
function formatOf(least: number, most: number): Intl.NumberFormat {
  const key = `${least} ${most}`;
  const known = formats.get(key);
  if (known) return known;
  const places = { minimumFractionDigits: least, maximumFractionDigits: most };
  const format = new Intl.NumberFormat("en-US", places);
  formats.set(key, format);
  return format;
}

const fixedOf = (digits: number) => formatOf(digits, digits);
const upToOf = (digits: number) => formatOf(0, digits);

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes in binary units: "0 B", "1.5 KiB", "64 MiB". */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return "–";
  let value = Math.max(0, n);
  let unit = 0;
  while (value >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const text = upToOf(digits).format(value);
  return `${text} ${BINARY[unit]}`;
}

/** MiB in the unit that fits: "512 MiB", "62.8 GiB". */
export function mebibytes(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : bytes(n * 1024 * 1024);
}

export function percent(fraction: number | null | undefined): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return "–";
  return `${decimal(fraction * 100, 1)} %`;
}

/** Milliseconds since the epoch as RFC 3339 in UTC. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** "2026-11-21 14:02:07.123 UTC": what a page prints before a script makes it local time. */
export function utc(ms: number): string {
  return `${iso(ms).replace("T", " ").replace("Z", "")} UTC`;
}

/** "2026-11-21 14:02 UTC", for lists of what happened on some day. */
export function minute(ms: number): string {
  return `${iso(ms).slice(0, 16).replace("T", " ")} UTC`;
}

/** "14:02:07" in UTC; pages mark it up so that a script can print local time. */
export function clock(ms: number): string {
  return iso(ms).slice(11, 19);
}

/** "14:02:07.123" in UTC. */
export function instant(ms: number): string {
  return iso(ms).slice(11, 23);
}

/** The part of an id worth reading. UUIDv7 ids share their beginning, so it is the end. */
export function shortId(id: string): string {
  return id.length > 8 ? id.slice(-8) : id;
}

/** "a member", "an owner". */
export function article(word: string): string {
  return /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`;
}

/** "1 job", "2 jobs". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
