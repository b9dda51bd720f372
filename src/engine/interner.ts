/**
 * Names and their small ids (engine rule 2), cached for ever: names are never renamed or deleted.
 * Lookups by id of a row that another replica interned load it once.
 */
import type { Requirements } from "../messages/job_input.ts";

export interface ShapeFacts {
  id: number;
  org: number;
  queue: number;
  kind: "exec" | "handler";
  /** For handlers only. */
  name: number | null;
  requirements: Requirements;
}

export interface Interner {
  /** Loads what is missing, then every lookup below answers for these ids. */
  load(ids: {
    orgs?: Iterable<number>;
    queues?: Iterable<number>;
    names?: Iterable<number>;
    workers?: Iterable<number>;
  }): Promise<void>;
  /** "?" for an id that was never loaded. */
  orgName(id: number): string;
  queueName(id: number): string;
  jobName(id: number): string;
  workerName(id: number): string;
  workerUid(id: number): string;
  /** Undefined where there is none. */
  orgId(name: string): Promise<number | undefined>;
  queueId(org: number, name: string): Promise<number | undefined>;
  jobNameId(org: number, name: string): Promise<number | undefined>;
  workerIdOf(uid: string): Promise<number | undefined>;
}
