/** What the API is made from. Each is handed in by the composition root. */
import type { ApiTokens } from "../accounts/api_tokens.ts";
import type { Authentication } from "../accounts/authentication.ts";
import type { Access, Caller } from "../accounts/caller.ts";
import type { Directory } from "../accounts/directory.ts";
import type { Invitations } from "../accounts/invitations.ts";
import type { Members } from "../accounts/members.ts";
import type { Organizations } from "../accounts/organizations.ts";
import type { WorkerTokens } from "../accounts/worker_tokens.ts";
import type { LogStore } from "../blobs/log_store.ts";
import type { Database } from "../db/client.ts";
import type { Engine } from "../engine/engine.ts";
import type { LiveHub } from "../web/live/hub.ts";
import type { Traffic } from "../web/traffic.ts";
import type { HealthCheck } from "./health.ts";

/** What the API needs of a logger; pino's fits. */
export interface Log {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ApiDeps {
  engine: Engine;
  database: Database;
  logs: LogStore;
  access: Access;
  directory: Directory;
  authentication: Authentication;
  organizations: Organizations;
  members: Members;
  invitations: Invitations;
  tokens: ApiTokens;
  workerTokens: WorkerTokens;
  /** Of the server, and of all that share its database: keys what is kept of requests. */
  requestKey: string;
  log: Log;
  /** The live hub that the board's pages use too. */
  hub: LiveHub;
  /** What this server answers, the board too. */
  traffic: Traffic;
  /** As the engine's; tells from a session's lease when its worker was last heard. */
  leaseSeconds?: number;
  /** What `/readyz` asks, besides the database answering at all. */
  checks?: readonly HealthCheck[];
}

export type { Caller };
