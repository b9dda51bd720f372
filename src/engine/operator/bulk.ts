/**
 * Cancel and retry of everything that matches, as an operation (engine rule 30): looked at before, begun
 * after a while in which it can be called off, stopped on its way. What a chunk has done stays done.
 */
import { v7 as uuidv7 } from "uuid";
import { type Actor, actorName } from "../../core/author.ts";
import { smallestId } from "../../core/ids.ts";
import { askedOrgIds, type Criteria, criteriaOf, forAction } from "../../core/search/criteria.ts";
import { type FilterFields, termsOf } from "../../core/search/fields.ts";
import { printSearch } from "../../core/search/print.ts";
import type { Transaction } from "../../db/client.ts";
import { type Walked, walk } from "../../db/job_search/walk.ts";
import { liftStop, stopOf } from "../../db/statements/operating/stop_queues.ts";
import {
  insertOperation,
  lockForUndo,
  type OperationRow,
  undoOperation,
} from "../../db/statements/operations.ts";
import type { EngineContext } from "../context.ts";
import { NotFound, type Receipt } from "../engine.ts";
import { signReceipt } from "../idempotency.ts";
import { transact } from "../pipeline.ts";
import { audit, operationObject } from "./audit.ts";

export type BulkKind = "cancel" | "retry";

export interface BulkAsk {
  kind: BulkKind;
  org: string;
  filter: FilterFields;
  /**
   * When the question was asked, epoch milliseconds: ages count back from then, and jobs made later are
   * left alone. Absent: now.
   */
  asOf?: number;
}

export interface Preview {
  /** At least so many. */
  affected: number;
  /** Exactly so many: everything was looked at. */
  isComplete: boolean;
  /** Most first. */
  queues: { name: string; affected: number }[];
}

export interface BulkOptions {
  reason?: string | undefined;
  /** Begins so much later; until then nothing has happened. */
  delaySeconds?: number | undefined;
}

/** Also what is kept of it for a repeat of its request. */
export interface Begun {
  operation: string;
  affected: number;
  isComplete: boolean;
}

export type UndoResult =
  /** `undone`: it had not begun. `stopped`: what was done by then stays. */
  | { ok: true; state: "undone" | "stopped"; done: number; affected: number }
  | { ok: false; code: "not_found" | "conflict"; reason: string };

const LOOKED_AT_MAX = 200_000;
const HITS_MAX = 100_000;
const LOOK_MS = 2_000;
const STATEMENT_MS = 1_500;

export class Bulk {
  readonly #context: EngineContext;
  /** Called when an operation waits to be worked on. */
  readonly #onOperation: () => void;

  constructor(context: EngineContext, onOperation: () => void) {
    this.#context = context;
    this.#onOperation = onOperation;
  }

  /** `isWhole`: the asker sees everything, and may be told how far a look through all of it got. */
  async preview(ask: BulkAsk, { isWhole = false } = {}): Promise<Preview> {
    const { org, criteria, from } = await this.#resolve(ask);
    const { database, clock, names } = this.#context;
    const walked = (await database.reads.begin("read only", (tx) =>
      walk(
        tx,
        { criteria, orgs: [org], isWhole, now: clock.now() },
        {
          ...{ direction: "older", from, limit: HITS_MAX, scanMax: LOOKED_AT_MAX },
          ...{ budgetMs: LOOK_MS, statementMs: STATEMENT_MS },
        },
      ),
    )) as unknown as Walked;
    const byQueue = Map.groupBy(walked.hits, ({ queue }) => queue);
    await names.load({ queues: byQueue.keys() });
    const queues = [...byQueue].map(([queue, hits]) => {
      return { name: names.queueName(queue), affected: hits.length };
    });
    queues.sort((a, b) => b.affected - a.affected || (a.name < b.name ? -1 : 1));
    return { affected: walked.hits.length, isComplete: walked.isEnd, queues };
  }

  /** Throws ReceiptTaken. */
  async begin(
    ask: BulkAsk,
    { reason, delaySeconds = 0 }: BulkOptions,
    actor: Actor,
    receipt?: Receipt,
  ): Promise<Begun> {
    const { org, criteria, from, q } = await this.#resolve(ask);
    const { affected, isComplete } = await this.preview(ask);
    const id = uuidv7();
    const begun: Begun = { operation: id, affected, isComplete };
    const row: OperationRow = {
      ...{
        id,
        org_id: org,
        kind: ask.kind,
        filter: { q, criteria, complete: isComplete },
        reason: reason ?? null,
      },
      ...{ actor: actorName(actor), done: 0 },
      // What is submitted while it waits to begin is none of it.
      cursor: from ?? (delaySeconds > 0 && ask.filter.ids === undefined ? id : null),
    };
    await transact(this.#context.database.intake, async (tx) => {
      await insertOperation(tx, { ...row, affected, delaySeconds });
      // As it was asked; how many it reached, its end says.
      await audit(tx, actor, {
        ...{ org, action: `jobs.${ask.kind}`, ...operationObject(row), reason: row.reason },
        ...{ affected, after: { operation: id, filter: ask.filter } },
      });
      await signReceipt(tx, receipt, begun);
    });
    this.#onOperation();
    return begun;
  }

  /** A chunk that is under way is waited for: what the answer says has been done is all there is. */
  async undo(id: string, actor: Actor, reason?: string): Promise<UndoResult> {
    const result = await this.#undo(id, actor, reason);
    // Of a stop: what it held back goes on.
    if (result.ok) this.#context.bus.tell("switches.changed", {});
    return result;
  }

  #undo(id: string, actor: Actor, reason: string | undefined): Promise<UndoResult> {
    return transact(this.#context.database.intake, async (tx): Promise<UndoResult> => {
      const row = await lockForUndo(tx, id);
      if (row === null) {
        return { ok: false, code: "not_found", reason: `There is no operation ${id}.` };
      }
      const tooLate = reasonAgainst(row);
      if (tooLate !== null) return { ok: false, code: "conflict", reason: tooLate };
      const state = row.begun ? "stopped" : "undone";
      await undoOperation(tx, id, state);
      if (row.kind === "stop_queues") await liftStop(tx, id, stopOf(row.filter).queue_ids);
      await this.#auditUndo(tx, actor, { ...row, state }, reason);
      return { ok: true, state, done: row.done, affected: row.affected };
    });
  }

  #auditUndo(
    tx: Transaction,
    actor: Actor,
    row: Awaited<ReturnType<typeof lockForUndo>> & object & { state: string },
    reason: string | undefined,
  ): Promise<void> {
    return audit(tx, actor, {
      ...{ org: row.org_id, action: "operation.undo", objectKind: "operation", objectId: row.id },
      ...{ reason: reason ?? null, affected: row.affected - row.done },
      before: { operation: row.id, state: "running", done: row.done },
      after: { operation: row.id, state: row.state, done: row.done },
    });
  }

  async #resolve({ kind, org: name, filter, asOf }: BulkAsk) {
    const org = await this.#context.names.orgId(name);
    if (org === undefined) throw new NotFound(`There is no organization ${name}.`);
    const terms = termsOf(filter);
    const asked = askedOrgIds(terms, [org], [{ id: org, name }]);
    const nothing: Criteria = { all: [{ not: false, any: [] }] };
    const isAsked = asked === "all" || asked.includes(org);
    const plain = isAsked ? criteriaOf(terms, asOf ?? this.#context.clock.now()) : nothing;
    // Named one by one they are meant, whenever they were made.
    const from = asOf === undefined || filter.ids ? null : smallestId(Math.floor(asOf) + 1);
    return { org, criteria: forAction(kind, plain), from, q: printSearch(terms) };
  }
}

function reasonAgainst(row: { kind: string; state: string; done: number }): string | null {
  if (row.state === "running") {
    if (row.kind !== "cancel_workflow") return null;
    return "The cancel of a workflow cannot be undone: its jobs are cancelled with it.";
  }
  if (row.state === "done") return `It is done: ${row.done} jobs were reached.`;
  if (row.state === "failed") return "It failed, and goes on no more.";
  return `It was ${row.state} already.`;
}
