/** Times as a search takes them: a day, an instant, or an age. Pure. */
import type { Comparison } from "./keys.ts";

/** From `from` on, up to and not including `to`; epoch milliseconds, null where it is open. */
export interface Range {
  from: number | null;
  to: number | null;
}

const AGE = /^(\d{1,6})([smhdw])$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A sentence that says what is wrong, or null. */
export function momentProblem(comparison: Comparison, at: string): string | null {
  if (DAY.test(at)) return isDay(at) ? null : `“${at}” is no day.`;
  const isAge = AGE.test(at);
  if (!isAge && (!INSTANT.test(at) || Number.isNaN(instantMs(at)))) {
    return `“${at}” is no time: write 2026-11-01, 2026-11-01T14:02 (UTC), or an age such as 24h.`;
  }
  if (comparison !== "=") return null;
  return `Write > or < before “${at}”: a moment alone is met by nothing.`;
}

/** An age counts back from `now`: less than 24h old is later than that. */
export function momentRange(comparison: Comparison, at: string, now: number): Range {
  const age = AGE.exec(at);
  if (age) {
    const then = Math.max(
      0,
      Math.floor(now) - Number(age[1]) * UNIT_MS[age[2] as keyof typeof UNIT_MS],
    );
    return between(mirrored(comparison), then, then + 1);
  }
  if (DAY.test(at)) {
    const start = Date.parse(`${at}T00:00:00Z`);
    return between(comparison, start, start + UNIT_MS.d);
  }
  const then = instantMs(at);
  return between(comparison, then, then + 1);
}

/** What people and PostgreSQL alike can write: nothing was made before or will be after. */
const LATEST = Date.parse("9999-12-31T00:00:00Z");

function between(comparison: Comparison, first: number, beyond: number): Range {
  const [start, end] = [first, beyond].map((ms) => Math.min(Math.max(0, ms), LATEST)) as [
    number,
    number,
  ];
  switch (comparison) {
    case ">":
      return { from: end, to: null };
    case ">=":
      return { from: start, to: null };
    case "<":
      return { from: null, to: start };
    case "<=":
      return { from: null, to: end };
    default:
      return { from: start, to: end };
  }
}

function mirrored(comparison: Comparison): Comparison {
  if (comparison === "=") return "=";
  return comparison.replace(/[<>]/, (sign) => (sign === ">" ? "<" : ">")) as Comparison;
}

/** UTC where no zone is named. */
function instantMs(at: string): number {
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(at) ? at : `${at}Z`);
}

function isDay(at: string): boolean {
  const start = Date.parse(`${at}T00:00:00Z`);
  return !Number.isNaN(start) && new Date(start).toISOString().startsWith(at);
}
