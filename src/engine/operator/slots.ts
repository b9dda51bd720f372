/**
 * Freeing slots: the attempt in a slot is asked to end (engine rule 14), its worker acknowledges that,
 * stops it, and kills it after a grace time. The slot is free when the worker says so, or its lease ends.
 */
import { type Actor, actorName } from "../../core/author.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Transaction } from "../../db/client.ts";
import { askCancel } from "../../db/statements/cancel_jobs.ts";
import { NIL_UUID } from "../../db/statements/counters.ts";
import { lockLive } from "../../db/statements/leases.ts";
import { type HeldSlot, heldJobs, orgsOf, readSlot } from "../../db/statements/operating/slots.ts";
import type { EngineContext } from "../context.ts";
import { NotFound } from "../engine.ts";
import { transact } from "../pipeline.ts";
import { audit } from "./audit.ts";

export interface FreeOptions {
  reason?: string | undefined;
  /** Its job goes back in line, and no failure is counted; else it ends as cancelled. */
  requeue?: boolean | undefined;
}

export interface SlotAsk {
  /** A worker's id, and one of its slots, from 1. */
  worker: string;
  slot: number;
  /** Only where the slot still holds this job. */
  job?: string | undefined;
}

export type FreeResult =
  /** `job` null: the slot is idle. `affected` 0: it was, or was asked before. */
  | { ok: true; affected: 0 | 1; job: string | null }
  | { ok: false; code: "conflict" | "forbidden"; reason: string };

/** Jobs that one transaction asks. */
const CHUNK = 2_000;

export class Slots {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** `orgs`: whose jobs the asker may stop. */
  async free(
    ask: SlotAsk,
    options: FreeOptions,
    { orgs, actor }: { orgs: OrgFilter; actor: Actor },
  ): Promise<FreeResult> {
    const result = await transact(this.#context.database.intake, async (tx) => {
      const held = await readSlot(tx, ask.worker, ask.slot);
      const refused = reasonAgainst(ask, held, orgs);
      if (refused !== null) return refused;
      if (held === null) return { ok: true as const, affected: 0 as const, job: null };
      return this.#ask(tx, { ask, held, options, actor });
    });
    if (result.ok && result.affected > 0) this.#tell();
    return result;
  }

  async #ask(
    tx: Transaction,
    asked: { ask: SlotAsk; held: HeldSlot; options: FreeOptions; actor: Actor },
  ): Promise<FreeResult> {
    const { ask, held, options, actor } = asked;
    const { reason = null, requeue = false } = options;
    await lockLive(tx, [held.job]);
    // Between the look and the lock it may have ended, and be another attempt's by now.
    const now = await readSlot(tx, ask.worker, ask.slot);
    if (now?.job !== held.job || now.attempt !== held.attempt) {
      return { ok: true, affected: 0, job: null };
    }
    const ids = await askCancel(tx, [held.job], { actor: actorName(actor), reason, requeue });
    if (ids.length === 0) return { ok: true, affected: 0, job: held.job };
    const { org, name, queue } = held;
    await audit(tx, actor, {
      ...{ org, action: "slot.free", objectKind: "job", objectId: held.job, reason, affected: 1 },
      ...{ before: { name, queue, worker: ask.worker, slot: ask.slot } },
      after: { name, queue, requeue, cancel_requested: true },
    });
    return { ok: true, affected: 1, job: held.job };
  }

  /** Every slot that holds a job of the organization, or (null) of any; how many were asked. */
  async freeAll(org: string | null, options: FreeOptions, actor: Actor): Promise<number> {
    const orgs = await this.#orgs(org);
    const { reason = null, requeue = false } = options;
    let affected = 0;
    for (let after = NIL_UUID; ; ) {
      const { some: ids, n } = await transact(this.#context.database.intake, async (tx) => {
        const some = await heldJobs(tx, { orgs, requeue, after, limit: CHUNK });
        await lockLive(tx, some);
        const asked = await askCancel(tx, some, { actor: actorName(actor), reason, requeue });
        await this.#auditAll(tx, actor, asked, { org, reason, requeue });
        return { some, n: asked.length };
      });
      affected += n;
      this.#tell();
      if (ids.length < CHUNK) return affected;
      after = ids.at(-1)!;
    }
  }

  async #auditAll(
    tx: Transaction,
    actor: Actor,
    asked: string[],
    { org, reason, requeue }: { org: string | null; reason: string | null; requeue: boolean },
  ): Promise<void> {
    for (const { org: id, n } of await orgsOf(tx, asked)) {
      await audit(tx, actor, {
        ...{ org: id, action: "slots.free", objectKind: "slots", objectId: org ?? "all" },
        ...{ reason, affected: n, after: { requeue } },
      });
    }
  }

  /** How many jobs `freeAll` would ask. */
  async count(org: string | null, { requeue = false }: FreeOptions = {}): Promise<number> {
    const orgs = await this.#orgs(org);
    const look = { orgs, requeue, after: NIL_UUID, limit: COUNT_MAX };
    const ids = await this.#context.database.reads.begin("read only", (tx) =>
      heldJobs(tx as unknown as Transaction, look),
    );
    return ids.length;
  }

  async #orgs(org: string | null): Promise<OrgFilter> {
    if (org === null) return "all";
    const id = await this.#context.names.orgId(org);
    if (id === undefined) throw new NotFound(`There is no organization ${org}.`);
    return [id];
  }

  #tell(): void {
    this.#context.bus.tell("cancel.requested", {});
    this.#context.bus.tell("events.committed", {});
  }
}

/** More slots than any fleet here has. */
const COUNT_MAX = 1_000_000;

function reasonAgainst(
  { slot, job }: SlotAsk,
  held: HeldSlot | null,
  orgs: OrgFilter,
): Extract<FreeResult, { ok: false }> | null {
  if (held !== null && orgs !== "all" && !orgs.includes(held.org)) {
    const reason = `Slot ${slot} runs a job that you may not stop.`;
    return { ok: false, code: "forbidden", reason };
  }
  if (job === undefined || held?.job === job) return null;
  const reason = held === null ? `Slot ${slot} is idle.` : `Slot ${slot} runs another job by now.`;
  return { ok: false, code: "conflict", reason: `${reason} Look again before you free it.` };
}
