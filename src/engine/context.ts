/** What every part of the engine is handed: made once in `create.ts`. */
import { randomUUID } from "node:crypto";
import type { Database } from "../db/client.ts";
import { Expectations } from "./background/expectations.ts";
import { Maintenance } from "./background/maintenance.ts";
import { RunTally } from "./background/run_tally.ts";
import type { Bus } from "./bus.ts";
import type { Clock } from "./clock.ts";
import type { Names } from "./names.ts";
import type { EngineOptions } from "./options.ts";
import { RecentDetails } from "./submit/recent_details.ts";

/** The few words of a logger that the engine says; pino fits. */
export interface Log {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface EngineContext {
  readonly replicaId: string;
  readonly options: EngineOptions;
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly names: Names;
  readonly recent: RecentDetails;
  readonly log: Log;
  /** What attempts came to on this server. */
  readonly runs: RunTally;
  /** What Signalbox does for itself. */
  readonly maintenance: Maintenance;
  readonly expectations: Expectations;
}

/** With a name of its own, and what the engine notes of its own work. */
export function withRecords(
  common: Omit<EngineContext, "replicaId" | "recent" | "runs" | "maintenance" | "expectations">,
): EngineContext {
  const { bus, clock, database, log, names, options } = common;
  const runs = new RunTally((name) => names.isCounted(name));
  bus.on("attempts.ended", ({ ends }) => runs.add(ends));
  const maintenance = new Maintenance({
    ...{ sql: database.side, address: options.address, now: () => clock.now() },
    onError: (error) => log.warn({ error: String(error) }, "maintenance was not recorded"),
  });
  const expectations = new Expectations(database);
  const [replicaId, recent] = [randomUUID(), new RecentDetails()];
  return { ...common, replicaId, recent, runs, maintenance, expectations };
}
