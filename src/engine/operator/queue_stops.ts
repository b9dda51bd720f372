/**
 * Stop of queues: the marker of engine rule 30 at once, so that nothing of what waits is leased after the
 * answer, and the rest as an operation that can be called off whole before it begins.
 */
import { v7 as uuidv7 } from "uuid";
import { type Actor, actorName } from "../../core/author.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { countByQueue, pendingOf } from "../../db/job_counts.ts";
import {
  findQueues,
  lockQueues,
  markStop,
  type StoppedQueue,
  type WhichQueues,
} from "../../db/statements/operating/stop_queues.ts";
import { insertOperation, type OperationRow } from "../../db/statements/operations.ts";
import type { EngineContext } from "../context.ts";
import { transact } from "../pipeline.ts";
import { audit, operationObject } from "./audit.ts";
import { type QueueAsk, whichQueues } from "./queue_names.ts";

/** Until then it can be called off whole. */
export const UNDO_SECONDS = 10;
/** Names that the operation and the audit log keep of many. */
const NAMED_MAX = 100;

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

  async begin(
    ask: QueueAsk,
    { reason, delaySeconds = UNDO_SECONDS }: StopOptions,
    actor: Actor,
  ): Promise<Stopped> {
    const which = await whichQueues(this.#context, ask);
    const done = await transact(this.#context.database.intake, async (tx) => {
      const queues = await counted(tx, await lockQueues(tx, which), which);
      const affected = sumOf(queues);
      if (affected === 0) return { operation: null, queues };
      const row = await this.#row(tx, { ask, which, queues, reason, actor });
      await insertOperation(tx, { ...row, affected, delaySeconds });
      await this.#audit(tx, actor, row, { which, queues });
      return { operation: row.id, queues };
    });
    if (done.operation !== null) {
      await this.#tell.switched();
      this.#tell.begun();
    }
    return { operation: done.operation, ...(await this.#view(done.queues)) };
  }

  async #row(
    tx: Transaction,
    asked: {
      ask: QueueAsk;
      which: WhichQueues;
      queues: Counted[];
      reason: string | undefined;
      actor: Actor;
    },
  ): Promise<OperationRow> {
    const { ask, which, queues, reason, actor } = asked;
    const ids = queues.map((queue) => queue.id);
    const marker = await markStop(tx, ids, uuidv7());
    const id = uuidv7();
    const filter = {
      ...(ask.queue === null ? {} : { q: `queue:${ask.queue}` }),
      ...{ org: ask.org, queues: namesOf(queues), queue_ids: ids, ...marker },
    };
    return {
      ...{ id, org_id: which.org, kind: "stop_queues", filter, reason: reason ?? null },
      ...{ actor: actorName(actor), cursor: null, done: 0 },
    };
  }

  /** Of one queue or one organization a row; of all, one for the instance and one for each that is hit. */
  async #audit(
    tx: Transaction,
    actor: Actor,
    row: OperationRow,
    { which, queues }: { which: WhichQueues; queues: Counted[] },
  ): Promise<void> {
    const action = which.queue === null ? "queues.stop" : "queue.stop";
    const note = (org: number | null, own: Counted[]) =>
      audit(tx, actor, {
        ...{ org, action, ...operationObject(row), reason: row.reason, affected: sumOf(own) },
        after: { operation: row.id, queues: namesOf(own) },
      });
    // First, for the end of the operation is booked like the first row of it.
    await note(which.org, queues);
    if (which.org !== null) return;
    for (const [org, own] of Map.groupBy(queues, (queue) => queue.org)) {
      if (sumOf(own) > 0) await note(org, own);
    }
  }

  async #view(queues: Counted[]): Promise<StopPreview> {
    const { names } = this.#context;
    const hit = queues.filter(({ affected }) => affected > 0);
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
  { org }: WhichQueues,
): Promise<Counted[]> {
  const counts = await countByQueue(sql, org === null ? "all" : [org]);
  return queues.map((queue) => ({ ...queue, affected: pendingOf(counts.get(queue.id)) }));
}

function sumOf(queues: readonly Counted[]): number {
  return queues.reduce((sum, { affected }) => sum + affected, 0);
}

/** Those where something waits, or all where nothing does. */
function namesOf(queues: readonly Counted[]): string[] {
  const hit = queues.filter(({ affected }) => affected > 0);
  return (hit.length > 0 ? hit : queues).slice(0, NAMED_MAX).map(({ name }) => name);
}
