/** What operators set of queues: paused all at once, described, limited. Each change with its audit rows. */
import { type Actor, actorName } from "../../core/author.ts";
import type { Transaction } from "../../db/client.ts";
import {
  type Limits,
  lockSettings,
  pauseQueues,
  type QueueSettings,
  resumeQueues,
  writeSettings,
} from "../../db/statements/operating/queue_settings.ts";
import type { EngineContext } from "../context.ts";
import { transact } from "../pipeline.ts";
import { audit } from "./audit.ts";
import { orgIdOf, queueOf } from "./queue_names.ts";

/** What is not named stays; `null` takes a limit away, of `limits` all. */
export interface QueuePatch {
  description?: string | undefined;
  limits?: { [K in keyof Limits]?: Limits[K] | undefined } | null | undefined;
}

/** Names that the audit log keeps of many. */
const NAMED_MAX = 100;

export class QueueKeeper {
  readonly #context: EngineContext;
  /** Reads the switches anew and tells the other servers. */
  readonly #switched: () => Promise<void>;

  constructor(context: EngineContext, switched: () => Promise<void>) {
    this.#context = context;
    this.#switched = switched;
  }

  /** Every queue of an organization, or (null) of all; how many changed. */
  async switchAll(
    org: string | null,
    to: "pause" | "resume",
    actor: Actor,
    reason?: string,
  ): Promise<number> {
    const orgId = await orgIdOf(this.#context, org);
    const by = { actor: actorName(actor), reason: reason ?? null };
    return this.#change(async (tx) => {
      const rows = await (to === "pause" ? pauseQueues(tx, orgId, by) : resumeQueues(tx, orgId));
      for (const [id, own] of Map.groupBy(rows, (row) => row.org)) {
        const names = own.map(({ name }) => name).sort();
        await audit(tx, actor, {
          ...{ org: id, action: `queues.${to}`, objectKind: "queues", objectId: org ?? "all" },
          ...{ reason: by.reason, affected: own.length },
          after: { paused: to === "pause", queues: names.slice(0, NAMED_MAX) },
        });
      }
      return rows.length;
    });
  }

  /** Holds from the next lease on. Answers whether anything changed. */
  async change(org: string, queue: string, patch: QueuePatch, actor: Actor, reason?: string) {
    const { orgId, id } = await queueOf(this.#context, org, queue);
    return this.#change(async (tx) => {
      const before = await lockSettings(tx, id);
      const after = patched(before, patch);
      const news = differences(before, after);
      if (news === null) return false;
      await writeSettings(tx, id, after);
      await audit(tx, actor, {
        ...{ org: orgId, action: "queue.update", objectKind: "queue", objectId: queue, reason },
        ...news,
      });
      return true;
    });
  }

  async #change<R>(act: (tx: Transaction) => Promise<R>): Promise<R> {
    const result = await transact(this.#context.database.beats, act);
    // Even where nothing changed: what is so already may not be known here yet.
    await this.#switched();
    return result;
  }
}

const NONE: Limits = { concurrency: null, rate: null, per_key: null };

function patched(was: QueueSettings, { description, limits }: QueuePatch): QueueSettings {
  const named = Object.entries(limits ?? {}).filter(([, value]) => value !== undefined);
  return {
    description: description ?? was.description,
    limits: limits === null ? NONE : { ...was.limits, ...Object.fromEntries(named) },
  };
}

/** What differs, as it was and as it is; null where nothing does. */
function differences(was: QueueSettings, is: QueueSettings) {
  const before: Record<string, unknown> = {};
  const after: Record<string, unknown> = {};
  const compare = (key: string, old: unknown, now: unknown) => {
    if (JSON.stringify(old) === JSON.stringify(now)) return;
    before[key] = old;
    after[key] = now;
  };
  compare("description", was.description, is.description);
  for (const key of ["concurrency", "rate", "per_key"] as const) {
    compare(key, was.limits[key], is.limits[key]);
  }
  return Object.keys(after).length === 0 ? null : { before, after };
}
