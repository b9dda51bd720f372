/**
 * Where a log lies: `<day>/<bucket>/<job>.<attempt>.log`. Both folders come from the time inside
 * the job's UUIDv7, so that retention removes whole days, and no folder grows beyond what one
 * minute brings (a bucket is 2^16 ms: 65,536 files at 1,000 jobs a second).
 */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const DAY_MS = 86_400_000;
const MAX_ATTEMPT = 2_147_483_647;
/** Later than this, a date has more than four digits in its year. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31);

/** Relative path with `/`. Throws RangeError for anything but a uuid and a positive integer. */
export function logPath(job: string, attempt: number): string {
  const id = typeof job === "string" ? job.toLowerCase() : "";
  if (!UUID.test(id)) throw new RangeError("a log is named by a job id, which is a uuid");
  if (!Number.isInteger(attempt) || attempt < 1 || attempt > MAX_ATTEMPT) {
    throw new RangeError("a log is named by an attempt, counted from 1");
  }
  const hex = id.slice(0, 8) + id.slice(9, 13);
  const day = dayOf(Math.min(Number.parseInt(hex, 16), MAX_TIME_MS));
  return `${day}/${id.slice(0, 8)}/${id}.${attempt}.log`;
}

const FILE = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9]\d{0,9})\.log$/;

/** What a file of that name is the log of, or null for any other name. */
export function ownerOf(file: string): { job: string; attempt: number } | null {
  const [, job, attempt] = FILE.exec(file) ?? [];
  return job === undefined ? null : { job, attempt: Number(attempt) };
}

/** First moment of a day folder, epoch milliseconds; null for any other name. */
export function startOfDay(folder: string): number | null {
  const start = DAY.test(folder) ? Date.parse(`${folder}T00:00:00Z`) : Number.NaN;
  return Number.isFinite(start) ? start : null;
}

export function endOfDay(start: number): number {
  return start + DAY_MS;
}

/** Whether a day folder holds only jobs from before `timeMs`. False for any other name. */
export function isDayBefore(folder: string, timeMs: number): boolean {
  if (!DAY.test(folder)) return false;
  const start = Date.parse(`${folder}T00:00:00Z`);
  return Number.isFinite(start) && start + DAY_MS <= timeMs;
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
