/**
 * Ids are UUIDv7 (engine rule 2): their first 48 bits are the millisecond of their making, so that
 * a day of jobs is a range of ids, and a table partitioned by id is partitioned by day.
 */

const DAY_MS = 86_400_000;
const TIME_MAX = 2 ** 48 - 1;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** No smaller id is made at or after `ms` (epoch). Throws RangeError outside what an id can say. */
export function smallestId(ms: number): string {
  if (!Number.isInteger(ms) || ms < 0 || ms > TIME_MAX) {
    throw new RangeError(`${ms} is not a whole number of milliseconds that an id can hold.`);
  }
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/** Epoch milliseconds of a UUIDv7's making, or null where the text is none. */
export function timeOfId(id: string): number | null {
  if (!UUID_V7.test(id)) return null;
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

const CLOCKS_MS = 2 * DAY_MS;
const LIKELY_MS = 3 * DAY_MS;
/** Later than anything, and still a time to PostgreSQL. */
const NEVER = Date.UTC(9_000, 0);

/** From when to when jobs have ended, the latter not included. */
export interface EndSpan {
  since: Date;
  until: Date;
}

/**
 * When these jobs can have ended: not before they were made, by a clock less than two days ahead of the database's
 * (which goes on with what it once was after it is put right). As values beside ids such bounds tell PostgreSQL
 * which days' partitions need not be planned, nor looked into.
 */
export function possibleEnds(...ids: readonly string[]): EndSpan {
  const made = ids.reduce((ms, id) => Math.min(ms, timeOfId(id) ?? 0), Number.POSITIVE_INFINITY);
  return { since: new Date(Math.max(0, made - CLOCKS_MS)), until: new Date(NEVER) };
}

/**
 * When nearly all of these have: within three days. Who finds neither a job's life nor its end there looks into all
 * days that are possible; of a month of partitions that is ten times as many.
 */
export function likelyEnds(...ids: readonly string[]): EndSpan {
  const made = ids.reduce((ms, id) => Math.max(ms, timeOfId(id) ?? NEVER), 0);
  return { ...possibleEnds(...ids), until: new Date(Math.min(NEVER, made + LIKELY_MS)) };
}

const CODE_0 = 48;
const CODE_A = 97;
/** Digits that say when it was made: 48 bits of milliseconds and, behind the version, 12 of their parts. */
const MADE = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 17];

/**
 * A number that orders lower-case UUIDv7s as their text does, except those made in the same 4,096th of
 * a millisecond, which share it. To compare numbers takes a tenth of what text takes.
 */
export function orderOfId(id: string): number {
  let order = 0;
  for (const at of MADE) {
    const code = id.charCodeAt(at);
    order = order * 16 + (code < CODE_A ? code - CODE_0 : code - CODE_A + 10);
  }
  return order;
}

/** The UTC day of a time, such as 2026-08-01. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/**
 * Ids of a UTC day: from `from` up to, not including, `to`.
 * @param day such as 2026-08-01; throws RangeError for what is no day
 */
export function dayBounds(day: string): { from: string; to: string } {
  const start = Date.parse(`${day}T00:00:00.000Z`);
  // Date.parse takes 2026-02-30 for the 2nd of March.
  if (Number.isNaN(start) || dayOf(start) !== day) throw new RangeError(`"${day}" is not a day.`);
  return { from: smallestId(start), to: smallestId(start + DAY_MS) };
}

/** The id just before (-1) or just after (1) this one: a bound that leaves it in. */
export function besideId(id: string, step: 1 | -1): string {
  const number = BigInt(`0x${id.replaceAll("-", "")}`) + BigInt(step);
  const clipped = BigInt.asUintN(128, number).toString(16).padStart(32, "0");
  return clipped.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
