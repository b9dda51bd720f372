/** What every part of the engine is handed: made once in `create.ts`. */
import type { Database } from "../db/client.ts";
import type { Bus } from "./bus.ts";
import type { Clock } from "./clock.ts";
import type { Names } from "./names.ts";
import type { EngineOptions } from "./options.ts";
import type { RecentDetails } from "./submit/recent_details.ts";

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
}
