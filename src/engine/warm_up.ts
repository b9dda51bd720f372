/**
 * The hot statements once with no rows: each has a connection of its own, which a driver opens at its
 * first query, and on which the plan takes tens of milliseconds. So long the first caller would wait.
 */
import { randomUUID } from "node:crypto";
import { RULES_VERSION } from "../core/scoring/score.ts";
import type { Database } from "../db/client.ts";
import { endPlainJobs } from "../db/statements/end_jobs.ts";
import { leaseJobs } from "../db/statements/lease_jobs.ts";
import { takeJobs } from "../db/statements/take_jobs.ts";

export async function warmUp({ arrivals, leases, ends }: Database): Promise<void> {
  const nothing = { rulesVersion: RULES_VERSION, limited: [], contexts: [], leases: [] };
  await Promise.all([
    takeJobs(arrivals, [], randomUUID()),
    leaseJobs(leases, { ...nothing, beat: randomUUID() }),
    endPlainJobs(ends, [], randomUUID()),
  ]);
}
