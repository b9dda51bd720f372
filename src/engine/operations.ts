/**
 * Operations: actions on everything that matches, in chunks of one transaction each (engine rule
 * 30). One server at a time works on them, by a term (rule 27); where it dies, the next goes on from
 * the cursor. The cursor moves in the transaction of its chunk, so that none is counted twice.
 */

import { type Criteria, criteriaOf, forAction } from "../core/search/criteria.ts";
import { termsOf } from "../core/search/fields.ts";
import type { Transaction } from "../db/client.ts";
import { searchStep } from "../db/job_search/step.ts";
import { auditOperationEnd } from "../db/statements/audit_facts.ts";
import { NIL_UUID } from "../db/statements/counters.ts";
import { liftStop, nextStopped, stopOf } from "../db/statements/operating/stop_queues.ts";
import {
  lockOperation,
  noteOperation,
  type OperationRow,
  unfinishedOperations,
} from "../db/statements/operations.ts";
import { holdRole, stillLeads } from "../db/statements/replicas.ts";
import type { EngineContext } from "./context.ts";
import { operationObject } from "./operator/audit.ts";
import { rest, sqlState, transact } from "./pipeline.ts";
import { Loop, type Service } from "./service.ts";

/** Jobs one transaction of an operation touches. */
export const CHUNK = 2_000;
const ROLE = "operations";
const ROLE_SECONDS = 5;
const EVERY_MS = 1_000;
/** Below the seconds of the role. */
const PAUSE_MAX_MS = 2_000;
const PAUSE_FACTOR = 4;
/** Faults of the database, not of its connection, before an operation is called failed. */
const FAULTS_MAX = 5;

/** Acts on a chunk inside its transaction; what it returns is told after the commit. */
export interface Operator {
  act(tx: Transaction, row: OperationRow, ids: string[]): Promise<{ n: number; tell(): void }>;
}

export class Operations implements Service {
  readonly name = "operations";
  readonly #context: EngineContext;
  readonly #operator: Operator;
  readonly #loop: Loop;
  readonly #faults = new Map<string, number>();
  #stopped = false;

  constructor(context: EngineContext, operator: Operator) {
    this.#context = context;
    this.#operator = operator;
    this.#loop = new Loop({
      name: this.name,
      everyMs: EVERY_MS,
      run: () => this.#round(),
      onError: (error) =>
        context.log.warn({ error: String(error) }, "operations were not looked at"),
    });
  }

  start(): void {
    this.#stopped = false;
    this.#loop.start();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#loop.stop();
  }

  poke(): void {
    this.#loop.poke();
  }

  async #round(): Promise<boolean> {
    const { database, replicaId } = this.#context;
    const rows = await unfinishedOperations(database.beats);
    if (rows.length === 0) return false;
    const term = await holdRole(database.beats, ROLE, replicaId, ROLE_SECONDS);
    if (term === null) return false;
    for (const row of rows) {
      if (this.#stopped) return false;
      const began = performance.now();
      await this.#step(row, term);
      if (row.kind === "stop_queues") await rest(pauseAfter(performance.now() - began));
    }
    return true;
  }

  async #step(row: OperationRow, term: number): Promise<void> {
    try {
      await workChunk(this.#context, this.#operator, row, (tx) => stillLeads(tx, ROLE, term));
      this.#faults.delete(row.id);
    } catch (error) {
      // A lost connection says nothing about the operation: the next round tries again.
      if (sqlState(error) === undefined) throw error;
      const faults = (this.#faults.get(row.id) ?? 0) + 1;
      this.#faults.set(row.id, faults);
      this.#context.log.error({ operation: row.id, error: String(error) }, "operation failed");
      if (faults < FAULTS_MAX) return;
      const { done, cursor } = row;
      const failed = { done, cursor, state: "failed" as const, error: String(error) };
      await transact(this.#context.database.intake, (tx) => note(tx, row, failed));
      tellEnd(this.#context, row);
    }
  }
}

/** How far it is; the end has its row in the audit log, in the same transaction. */
async function note(
  tx: Transaction,
  row: OperationRow,
  progress: Parameters<typeof noteOperation>[2],
): Promise<void> {
  const { state, done, error } = progress;
  if (!(await noteOperation(tx, row.id, progress)) || state === "running") return;
  if (row.kind === "stop_queues") await liftStop(tx, row.id, stopOf(row.filter).queue_ids);
  await auditOperationEnd(tx, { ...operationObject(row), id: row.id, state, done, error });
}

/**
 * One chunk: what it acts on, its cursor and its count commit together. False where somebody else
 * did it, or where `leads` says no.
 */
export async function workChunk(
  context: EngineContext,
  operator: Operator,
  row: OperationRow,
  leads: (tx: Transaction) => Promise<boolean> = async () => true,
): Promise<boolean> {
  const { intake } = context.database;
  const { ids, last } = await nextOf(context, row);
  const told = await transact(intake, async (tx) => {
    if (!(await leads(tx)) || !(await lockOperation(tx, row.id, row.cursor))) return null;
    const done = ids.length > 0 ? await operator.act(tx, row, ids) : null;
    await note(tx, row, {
      done: row.done + (done?.n ?? 0),
      cursor: last,
      state: last === null ? "done" : "running",
    });
    return { tell: () => done?.tell() };
  });
  told?.tell();
  if (told && last === null) tellEnd(context, row);
  return told !== null;
}

/** What was held back by it goes on. */
function tellEnd(context: EngineContext, { kind }: OperationRow): void {
  if (kind === "stop_queues") context.bus.tell("switches.changed", {});
}

/** Newest first. How far it gets is told to nobody but in jobs that were hit: any index will do. */
async function nextOf(
  { database, clock }: EngineContext,
  { org_id: org, cursor, ...row }: OperationRow,
): Promise<{ ids: string[]; last: string | null }> {
  const { intake } = database;
  if (row.kind === "stop_queues") {
    const { ids, last } = await nextStopped(intake, { cursor, filter: row.filter }, CHUNK);
    // Its end locks queues, which come before jobs: it is a chunk of its own.
    return { ids, last: ids.length > 0 ? (last ?? NIL_UUID) : last };
  }
  const { workflow, criteria } = row.filter as { workflow?: string; criteria?: Criteria };
  const now = clock.now();
  const asked = criteria ?? forAction("cancel", criteriaOf(termsOf({ workflow: workflow! }), now));
  const { hits, last } = await searchStep(
    intake,
    { criteria: asked, orgs: [org!], isWhole: true, now },
    { direction: "older", from: cursor, chunk: CHUNK, want: CHUNK },
  );
  return { ids: hits.map(({ id }) => id), last };
}

/** A stop is in no hurry: most of the time is for those who dispatch, on whichever server. */
function pauseAfter(ms: number): number {
  return Math.min(PAUSE_MAX_MS, ms * PAUSE_FACTOR);
}
