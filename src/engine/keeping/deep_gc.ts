/** The deep clean-up: what should not be there and what says that there is more than there is, pass by pass. */
import type { LogStore } from "../../blobs/log_store.ts";
import { expiryOf } from "../../core/retention.ts";
import type { Sql } from "../../db/client.ts";
import { endStaleSessions, removeExpired } from "../../db/statements/keeping/stale_sessions.ts";
import type { EngineContext } from "../context.ts";
import { transact } from "../pipeline.ts";
import { clearLostLogs, type LogPass, removeOrphanLogs } from "./log_passes.ts";
import type { Dropped } from "./partition_pruner.ts";
import type { PassName, PassProgress, Progress } from "./progress.ts";

export const PASSES: readonly PassName[] = ["orphan_logs", "lost_logs", "partitions", "sessions"];

const DAY_MS = 86_400_000;

export interface DeepGcParts {
  sql: Sql;
  logs: LogStore | null;
  prune(): Promise<Dropped>;
}

export async function runDeepGc(
  context: EngineContext,
  parts: DeepGcParts,
  progress: Progress,
): Promise<void> {
  for (const name of PASSES) {
    const pass = await progress.begin(name);
    await runPass(context, parts, pass, () => progress.stepped());
    await progress.end(pass);
  }
}

async function runPass(
  context: EngineContext,
  { sql, logs, prune }: DeepGcParts,
  pass: PassProgress,
  stepped: () => Promise<void>,
): Promise<void> {
  const now = context.clock.now();
  const { retention } = context.options;
  const ofLogs: LogPass | null = logs && { sql, logs, now, pass, stepped };
  switch (pass.pass) {
    case "orphan_logs":
      if (ofLogs) await removeOrphanLogs(ofLogs);
      return;
    case "lost_logs": {
      // What retention of logs may have taken is not lost.
      const days = Math.min(retention.logsDays, retention.dispatchDays);
      if (ofLogs) await clearLostLogs(ofLogs, expiryOf(days, now) + DAY_MS);
      return;
    }
    case "partitions": {
      const { expired, dropped } = await prune();
      pass.scanned += expired;
      pass.removed += dropped.length;
      pass.left += expired - dropped.length;
      return;
    }
    case "sessions":
      await sweepSessions(sql, pass, stepped);
  }
}

async function sweepSessions(
  sql: Sql,
  pass: PassProgress,
  stepped: () => Promise<void>,
): Promise<void> {
  for (let after: number | null = 0; after !== null; ) {
    const from: number = after;
    const { scanned, removed, last } = await transact(sql, (tx) => endStaleSessions(tx, from));
    pass.scanned += scanned;
    pass.removed += removed;
    after = last;
    await stepped();
  }
  for (const table of ["person_session", "verification"] as const) {
    const { scanned, removed } = await transact(sql, (tx) => removeExpired(tx, table));
    pass.scanned += scanned;
    pass.removed += removed;
    await stepped();
  }
}
