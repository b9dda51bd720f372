import { type CatchUp, nextDue, type Standing } from "../../core/schedules/step.ts";
import type { ScheduleColumns, ScheduleRow } from "../../db/statements/schedules/rows.ts";

/** A row as the core asks for it. */
export function standingOf(row: ScheduleRow): Standing {
  return {
    ...ruleOf(row),
    settledUntil: row.settled_ms,
    resumedAt: row.resumed_ms,
    catchUp: row.catch_up as CatchUp,
    catchUpMax: row.catch_up_max,
  };
}

type RuleColumns = Pick<ScheduleColumns, "cron" | "time_zone" | "jitter_seconds"> & { id: string };

function ruleOf(row: RuleColumns) {
  const { id, cron, time_zone: timeZone, jitter_seconds: jitterSeconds } = row;
  return { id, cron, timeZone, jitterSeconds };
}

/** When a schedule that is settled up to `settled` is to be looked at; null: never again. */
export function dueAfter(row: RuleColumns, settled: number): number | null {
  return nextDue(ruleOf(row), settled)?.at ?? null;
}
