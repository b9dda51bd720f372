/** The past that the demo gives itself: a day in full, and of a month some hours of each day. */
import type { Sql } from "../../db/client.ts";
import { type Window, writeHistory } from "./write_history.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const DAYS = 30;
/** Minutes in which anything happened are computed one by one: few of them, and side by side. */
const SPELLS_AT_HOURS = [3, 10, 16];
const SPELL_MS = 10 * MINUTE_MS;
const SPELL_PACE = 0.075;
const LAST_DAY_PACE = 0.024;

export async function writeDemoPast(
  { url }: { url: string; side: Sql },
  { seed, now, orgs }: { seed: number; now: number; orgs: ReadonlyMap<string, number> },
): Promise<{ jobs: number; attempts: number }> {
  const windows = demoWindows(now);
  return await writeHistory(url, { seed, orgs, windows, until: now, sampleEveryMs: MINUTE_MS });
}

/** Pure. */
export function demoWindows(now: number): Window[] {
  const lastDay = Math.floor((now - DAY_MS) / HOUR_MS) * HOUR_MS;
  const windows: Window[] = [];
  for (let day = DAYS; day >= 1; day--) {
    const midnight = Math.floor((now - day * DAY_MS) / DAY_MS) * DAY_MS;
    for (const hour of SPELLS_AT_HOURS) {
      const from = midnight + hour * HOUR_MS;
      if (from + 2 * HOUR_MS > lastDay) continue;
      windows.push({ from, to: from + SPELL_MS, pace: SPELL_PACE });
    }
  }
  windows.push({ from: lastDay, to: now - MINUTE_MS, pace: LAST_DAY_PACE });
  return windows;
}
