/** What operators switch by hand: queues, the whole instance, a worker. Each change with its audit row. */
import { type Actor, actorName } from "../../core/author.ts";
import type { Transaction } from "../../db/client.ts";
import { askDrain } from "../../db/statements/sessions.ts";
import { pauseQueue, resumeQueue } from "../../db/statements/switches.ts";
import type { EngineContext } from "../context.ts";
import { transact } from "../pipeline.ts";
import { audit } from "./audit.ts";
import { switchDraining } from "./draining.ts";
import { queueOf } from "./queue_names.ts";

export class Controls {
  readonly #context: EngineContext;
  /** Reads the switches anew and tells the other servers. */
  readonly #switched: () => Promise<void>;

  constructor(context: EngineContext, switched: () => Promise<void>) {
    this.#context = context;
    this.#switched = switched;
  }

  async pauseQueue(org: string, queue: string, actor: Actor, reason?: string): Promise<boolean> {
    const { orgId, id } = await queueOf(this.#context, org, queue);
    return this.#switch(async (tx) => {
      if (!(await pauseQueue(tx, id, actorName(actor), reason ?? null))) return false;
      await audit(tx, actor, {
        ...{ org: orgId, action: "queue.pause", objectKind: "queue", objectId: queue, reason },
        ...{ before: { paused: false }, after: { paused: true } },
      });
      return true;
    });
  }

  async resumeQueue(org: string, queue: string, actor: Actor, reason?: string): Promise<boolean> {
    const { orgId, id } = await queueOf(this.#context, org, queue);
    return this.#switch(async (tx) => {
      const pause = await resumeQueue(tx, id);
      if (pause === null) return false;
      await audit(tx, actor, {
        ...{ org: orgId, action: "queue.resume", objectKind: "queue", objectId: queue, reason },
        ...{ before: { paused: true, ...pause }, after: { paused: false } },
      });
      return true;
    });
  }

  setDraining(enabled: boolean, actor: Actor, reason?: string): Promise<boolean> {
    return this.#switch((tx) => switchDraining(tx, enabled, actor, reason ?? null));
  }

  /** An intent on the session's row: whichever server holds its socket carries it there. */
  async drainWorker(uid: string, actor: Actor, reason?: string): Promise<boolean> {
    const asked = await transact(this.#context.database.beats, async (tx) => {
      const sessions = await askDrain(tx, uid);
      const changed = sessions.find((session) => !session.was);
      if (changed) {
        const { org, name } = changed;
        await audit(tx, actor, {
          ...{ org, action: "worker.drain", objectKind: "worker", objectId: uid, reason },
          ...{ before: { name, draining: false }, after: { name, draining: true } },
        });
      }
      return sessions;
    });
    if (asked.length > 0) this.#context.bus.tell("cancel.requested", {});
    return asked.length > 0;
  }

  async #switch(change: (tx: Transaction) => Promise<boolean>): Promise<boolean> {
    const changed = await transact(this.#context.database.beats, change);
    // Even where nothing changed: what is so already may not be known here yet.
    await this.#switched();
    return changed;
  }
}
