/**
 * Stop of queues: the marker of engine rule 30 at once, so that nothing of what waits is leased after the
 * answer, and the rest as an operation that can be called off whole before it begins.
 */
import { v7 as uuidv7 } from "uuid";
import { type Actor, actorName } from "../../core/author.ts";
import { printSearch } from "../../core/search/print.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { countByQueue, pendingOf } from "../../db/job_counts.ts";
import {
  findQueues,
  lockQueues,
  markStop,
  type StoppedQueue,
  stopOf,
  type WhichQueues,
} from "../../db/statements/operating/stop_queues.ts";
import { insertOperation, type OperationRow } from "../../db/statements/operations.ts";
import type { EngineContext } from "../context.ts";
import type { Receipt } from "../engine.ts";
import { signReceipt } from "../idempotency.ts";
import { transact } from "../pipeline.ts";
import { audit, operationObject } from "./audit.ts";
import { type QueueAsk, whichQueues } from "./queue_names.ts";

/** Until then it can be called off whole. */
export const UNDO_SECONDS = 10;
/** Names that the operation and the audit log keep of many. */
const NAMED_MAX = 100;
/** Queues that the search for what was asked names; of more it says nothing. */
const SEARCHED_MAX = 20;

export interface StopOptions {
  reason?: string | undefined;
  delaySeconds?: number | undefined;
}

export interface StopPreview {
  affected: number;
  /** Those where something waits, most first. */
  queues: { org: string; name: string; affected: number }[];
}

/** `operation` is null where nothing waited: nothing was changed. */
export interface Stopped extends StopPreview {
  operation: string | null;
}

type Counted = StoppedQueue & { affected: number };

/** What is kept of a stop for a repeat of its request. */
export interface StopReceipt {
  operation: string | null;
  /** Those where something waited. */
  queues: Counted[];
}

export class QueueStops {
  readonly #context: EngineContext;
  readonly #tell: {
    /** Reads the switches anew and tells the other servers. */
    switched(): Promise<void>;
    /** An operation waits to be worked on. */
    begun(): void;
  };

  constructor(context: EngineContext, tell: { switched(): Promise<void>; begun(): void }) {
    this.#context = context;
    this.#tell = tell;
  }

  async preview(ask: QueueAsk): Promise<StopPreview> {
    const which = await whichQueues(this.#context, ask);
    const { reads } = this.#context.database;
    return this.#view(await counted(reads, await findQueues(reads, which), which));
  }

  /** As one operation, however many queues it names. Throws ReceiptTaken. */
  async begin(
    ask: QueueAsk,
    { reason, delaySeconds = UNDO_SECONDS }: StopOptions,
    actor: Actor,
    receipt?: Receipt,
  ): Promise<Stopped> {
    const which = await whichQueues(this.#context, ask);
    const done = await transact(this.#context.database.intake, async (tx): Promise<StopReceipt> => {
      const queues = await counted(tx, await lockQueues(tx, which), which);
      const affected = sumOf(queues);
      let operation: string | null = null;
      if (affected > 0) {
        const row = await this.#row(tx, { ask, queues, reason, actor });
        await insertOperation(tx, { ...row, affected, delaySeconds });
        await this.#audit(tx, actor, row, queues);
        operation = row.id;
      }
      const content = { operation, queues: hitOf(queues) };
      await signReceipt(tx, receipt, content);
      return content;
    });
    if (done.operation !== null) {
      await this.#tell.switched();
      this.#tell.begun();
    }
    return this.again(done);
  }

  /** What was answered to a stop, from its receipt. */
  async again({ operation, queues }: StopReceipt): Promise<Stopped> {
    return { operation, ...(await this.#view(queues)) };
  }

  async #row(
    tx: Transaction,
    asked: { ask: QueueAsk; queues: Counted[]; reason: string | undefined; actor: Actor },
  ): Promise<OperationRow> {
    const { ask, queues, reason, actor } = asked;
    const ids = queues.map((queue) => queue.id);
    const marker = await markStop(tx, ids, uuidv7());
    const id = uuidv7();
    const org = await this.#onlyOrg(ask, queues);
    const filter = {
      ...searchOf(ask),
      ...{ org: org?.name ?? null, all: ask.queues === null, queue_ids: ids },
      ...{ queues: await this.#labels(queues, org !== null), hit: hitOf(queues).length, ...marker },
    };
    return {
      ...{ id, org_id: org?.id ?? null, kind: "stop_queues", filter, reason: reason ?? null },
      ...{ actor: actorName(actor), cursor: null, done: 0 },
    };
  }

  /** Whose operation it is; null: of the installation, for it touches several or may. */
  async #onlyOrg(ask: QueueAsk, queues: Counted[]): Promise<{ id: number; name: string } | null> {
    if (ask.queues === null) return ask.org === null ? null : { id: queues[0]!.org, name: ask.org };
    const names = new Set(ask.queues.map(({ org }) => org));
    return names.size === 1 ? { id: queues[0]!.org, name: ask.queues[0]!.org } : null;
  }

  async #labels(queues: Counted[], isOfOne: boolean): Promise<string[]> {
    if (isOfOne) return namesOf(queues);
    const { names } = this.#context;
    const some = hitOf(queues).slice(0, NAMED_MAX);
    await names.load({ orgs: some.map(({ org }) => org) });
    return some.map(({ org, name }) => `${names.orgName(org)}/${name}`);
  }

  /** Of one organization a row; of several, one for the installation and one for each that is hit. */
  async #audit(tx: Transaction, actor: Actor, row: OperationRow, queues: Counted[]): Promise<void> {
    const { objectKind } = operationObject(row);
    const action = `${stopOf(row.filter).all ? "queues" : objectKind}.stop`;
    const note = (org: number | null, own: Counted[]) =>
      audit(tx, actor, {
        ...{ org, action, ...operationObject(row), reason: row.reason, affected: sumOf(own) },
        after: { operation: row.id, queues: namesOf(own) },
      });
    // First, for the end of the operation is booked like the first row of it.
    await note(row.org_id, queues);
    if (row.org_id !== null) return;
    for (const [org, own] of Map.groupBy(queues, (queue) => queue.org)) {
      if (sumOf(own) > 0) await note(org, own);
    }
  }

  async #view(queues: Counted[]): Promise<StopPreview> {
    const { names } = this.#context;
    const hit = hitOf(queues);
    await names.load({ orgs: hit.map(({ org }) => org) });
    const rows = hit.map(({ org, name, affected }) => ({
      ...{ org: names.orgName(org), name, affected },
    }));
    rows.sort((a, b) => b.affected - a.affected || (a.name < b.name ? -1 : 1));
    return { affected: sumOf(hit), queues: rows };
  }
}

async function counted(
  sql: Sql | Transaction,
  queues: StoppedQueue[],
  { orgs }: WhichQueues,
): Promise<Counted[]> {
  const counts = await countByQueue(sql, orgs);
  return queues.map((queue) => ({ ...queue, affected: pendingOf(counts.get(queue.id)) }));
}

function sumOf(queues: readonly Counted[]): number {
  return queues.reduce((sum, { affected }) => sum + affected, 0);
}

function hitOf(queues: readonly Counted[]): Counted[] {
  return queues.filter(({ affected }) => affected > 0);
}

/** Those where something waits, or all where nothing does. */
function namesOf(queues: readonly Counted[]): string[] {
  const hit = hitOf(queues);
  return (hit.length > 0 ? hit : queues).slice(0, NAMED_MAX).map(({ name }) => name);
}

/** What was asked, as a search for jobs; nothing where that would ask for others too. */
function searchOf({ queues }: QueueAsk): { q?: string } {
  if (queues === null || queues.length > SEARCHED_MAX) return {};
  if (new Set(queues.map(({ org }) => org)).size > 1) return {};
  const terms = queues.map(({ queue: value }) => ({
    key: "queue" as const,
    negated: false,
    value,
  }));
  return { q: printSearch(terms.map((term) => ({ ...term, glob: false }))) };
}
