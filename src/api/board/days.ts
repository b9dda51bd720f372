/** The days that rankings are asked for: whole ones of UTC, so many up to today, or from one to another. */
import { z } from "zod";
import { dayOf } from "../../core/ids.ts";
import { invalid } from "../query.ts";

const DAY_MS = 86_400_000;
const DAYS_DEFAULT = 30;
const DAYS_MAX = 400;

export const daysParams = {
  window_days: z.coerce
    .number()
    .int()
    .min(1)
    .max(DAYS_MAX)
    .optional()
    .describe(
      `Days of UTC up to \`to\`, which is one; ${DAYS_DEFAULT} where neither it nor \`from\` is said`,
    ),
  from: z.iso.date().optional().describe("The first day, instead of window_days"),
  to: z.iso.date().optional().describe("The last day; today, unless said"),
};

export interface DaysWords {
  window_days?: number | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** Both included: "2026-11-22". */
interface Days {
  from: string;
  to: string;
}

export function daysOf({ window_days, from, to }: DaysWords, now: number): Days {
  const last = to ?? dayOf(now);
  if (from !== undefined && window_days !== undefined)
    throw wrong("cannot stand beside `window_days`");
  const first = from ?? dayOf(Date.parse(last) - ((window_days ?? DAYS_DEFAULT) - 1) * DAY_MS);
  if (first > last) throw wrong("must not be after `to`");
  if (Date.parse(last) - Date.parse(first) >= DAYS_MAX * DAY_MS) {
    throw wrong(`must be less than ${DAYS_MAX} days before \`to\``);
  }
  return { from: first, to: last };
}

function wrong(message: string): Error {
  return invalid([{ path: "from", in: "query", message }]);
}

/** Epoch milliseconds: from the first moment of the first day to the end of the last. */
export function momentsOf({ from, to }: Days): { from: number; to: number } {
  return { from: Date.parse(from), to: Date.parse(to) + DAY_MS };
}
