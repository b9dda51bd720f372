/** Cancel and retry: of one job, of a workflow, and of each chunk of an operation. */
import { v7 as uuidv7 } from "uuid";
import { type Actor, actorName } from "../core/author.ts";
import { canRetry, type JobState } from "../core/job_state.ts";
import { SECONDS_PER_POINT } from "../core/rank.ts";
import type { Transaction } from "../db/client.ts";
import { type JobFacts, workflowName } from "../db/statements/audit_facts.ts";
import {
  askCancel,
  askWorkflowCancel,
  cancelAtRest,
  unsharedJobs,
} from "../db/statements/cancel_jobs.ts";
import type { EndedRow } from "../db/statements/end_jobs.ts";
import { lockLive } from "../db/statements/leases.ts";
import { lockStopped, stopOf } from "../db/statements/operating/stop_queues.ts";
import { insertOperation, type OperationRow } from "../db/statements/operations.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import { resolveDependents } from "../db/statements/resolve_dependents.ts";
import { badDependencies, lockAround, lockEnds, reviveJobs } from "../db/statements/retry_jobs.ts";
import { lockWorkflow } from "../db/statements/submission.ts";
import type { EngineContext } from "./context.ts";
import type { EnderListener } from "./ender.ts";
import type { ActionResult } from "./engine.ts";
import { workChunk } from "./operations.ts";
import { audit, auditCancel, auditRetry, factsFor, operationObject } from "./operator/audit.ts";
import { transact } from "./pipeline.ts";

/** Descendants that one retry revives at most; a workflow has at most 10,000 jobs a submission. */
const REVIVE_MAX = 100_000;
/** Why a job ended whose queue was stopped by somebody who did not say why. */
const STOPPED = "queue_stopped";

interface Cancelled {
  ended: EndedRow[];
  ready: ReadyRow[];
  asked: string[];
}

export class Actions {
  readonly #context: EngineContext;
  readonly #listener: EnderListener;

  /** Called when an operation waits to be worked on. */
  onOperation: () => void = () => {};
  /** Called for a workflow whose cancel was asked: it may have no job left to end. */
  onCancelled: (workflow: string) => void = () => {};

  constructor(context: EngineContext, listener: EnderListener) {
    this.#context = context;
    this.#listener = listener;
  }

  // One job

  async cancelJob(id: string, actor: Actor, reason: string | null): Promise<ActionResult> {
    const done = await transact(this.#context.database.intake, async (tx) => {
      const facts = await factsFor(tx, actor, id, () => lockLive(tx, [id]));
      const cancelled = await this.#cancel(tx, [id], actorName(actor), reason);
      if (facts) await auditCancel(tx, actor, { id, reason, facts, cancelled });
      return cancelled;
    });
    this.#announce(done);
    if (done.ended.some((e) => e.id === id)) return { ok: true, state: "cancelled" };
    const state = await this.#stateOf(id);
    if (state === null) return notFound(id);
    // Asked now, or asked before and still running: both are what the caller wants.
    if (done.asked.includes(id) || state === "dispatched" || state === "running") {
      return { ok: true, state };
    }
    if (state === "cancelled") {
      // Asked by us, and carried out before we looked again.
      if (done.asked.includes(id)) return { ok: true, state };
      return { ok: false, code: "conflict", reason: "It is cancelled already." };
    }
    if (state === "queued" || state === "ready") return this.cancelJob(id, actor, reason);
    return { ok: false, code: "conflict", reason: `It has ended already: ${state}.` };
  }

  async retryJob(id: string, actor: Actor, reason: string | null): Promise<ActionResult> {
    const state = await this.#stateOf(id);
    if (state === null) return notFound(id);
    if (!canRetry(state)) {
      const why =
        state === "succeeded" ? "It succeeded: submit it again." : `It has not ended: ${state}.`;
      return { ok: false, code: "conflict", reason: why };
    }
    const done = await transact(this.#context.database.intake, async (tx) => {
      let facts: JobFacts | null = null;
      const revived = await this.#revive(tx, [id], actorName(actor), reason, async () => {
        facts = await factsFor(tx, actor, id);
      });
      if (facts) await auditRetry(tx, actor, { id, reason, facts, rows: revived.rows });
      return revived;
    });
    const bad = done.held.get(id);
    if (bad) {
      const some = bad.slice(0, 10).join(", ");
      const why = `It depends on ${some}, which ended badly: retry that first; this job follows by itself.`;
      return { ok: false, code: "conflict", reason: why };
    }
    this.#announceReady(done.rows);
    const row = done.rows.find((r) => r.id === id);
    return row
      ? { ok: true, state: row.state }
      : { ok: false, code: "conflict", reason: "Somebody else retried it meanwhile." };
  }

  // Workflows

  /**
   * Asked and noted as an operation in one transaction, so that any server carries it out; the first
   * chunk at once, so that a small workflow is cancelled when this returns. The jobs are looked up
   * after that commit: of two workflows that share a job and are cancelled together, the later one
   * must see the earlier one's cancel.
   */
  async cancelWorkflow(id: string, actor: Actor, reason: string | null) {
    const asked = await transact(this.#context.database.intake, (tx) =>
      this.#askWorkflow(tx, id, actor, reason),
    );
    if (asked.operation === undefined) {
      const { state } = asked;
      return state === undefined
        ? { ok: false as const, code: "not_found" as const, reason: `There is no workflow ${id}.` }
        : {
            ok: false as const,
            code: "conflict" as const,
            reason: `It has ended already: ${state}.`,
          };
    }
    try {
      await workChunk(this.#context, this, asked.operation);
    } catch (error) {
      const facts = { workflow: id, error: String(error) };
      this.#context.log.warn(facts, "a workflow's cancel goes on in the background");
    }
    this.onOperation();
    this.onCancelled(id);
    const { pending, running } = asked;
    return { ok: true as const, affected: pending + running, pending, running };
  }

  async #askWorkflow(tx: Transaction, id: string, actor: Actor, reason: string | null) {
    const row = await lockWorkflow(tx, id);
    if (row?.state !== "open" && row?.state !== "running") return { state: row?.state };
    const operation: OperationRow = {
      ...{ id: uuidv7(), org_id: row.org_id, kind: "cancel_workflow", reason },
      actor: actorName(actor),
      ...{ filter: { org: row.org_id, workflow: id }, cursor: null, done: 0 },
    };
    const { pending, running } = await askWorkflowCancel(tx, id, reason);
    const affected = pending + running;
    await insertOperation(tx, { ...operation, affected });
    if (typeof actor !== "string") {
      const facts = { name: await workflowName(tx, id), state: row.state };
      await audit(tx, actor, {
        ...{ org: row.org_id, action: "workflow.cancel", ...operationObject(operation), reason },
        ...{ affected, before: { ...facts, cancel_requested: row.cancelled } },
        after: {
          ...{ ...facts, state: "running", cancel_requested: true, pending, running },
          operation: operation.id,
        },
      });
    }
    return { operation, pending, running };
  }

  // Inside a transaction of somebody else, who calls what it returns after the commit

  async cancelWithin(tx: Transaction, ids: string[], actor: string, reason: string) {
    const done = await this.#cancel(tx, ids, actor, reason);
    return () => this.#announce(done);
  }

  /** Its jobs are cancelled in the background. */
  async cancelWorkflowWithin(tx: Transaction, id: string, actor: string, reason: string) {
    await this.#askWorkflow(tx, id, actor, reason);
    return () => {
      this.onOperation();
      this.onCancelled(id);
    };
  }

  /** One chunk of an operation, inside its transaction. */
  async act(tx: Transaction, row: OperationRow, ids: string[]) {
    if (row.kind !== "retry") {
      const reason = row.reason ?? (row.kind === "stop_queues" ? STOPPED : null);
      const taken = await this.#taken(tx, row, ids);
      const done = await this.#cancel(tx, taken, row.actor, reason);
      const cancelled = done.ended.filter((e) => e.state === "cancelled");
      return { n: cancelled.length + done.asked.length, tell: () => this.#announce(done) };
    }
    const { rows } = await this.#revive(tx, ids, row.actor, row.reason);
    return { n: rows.length, tell: () => this.#announceReady(rows) };
  }

  // Inside a transaction

  #taken(tx: Transaction, row: OperationRow, ids: string[]): Promise<string[]> | string[] {
    if (row.kind === "cancel") return ids;
    if (row.kind === "stop_queues") return lockStopped(tx, ids, stopOf(row.filter));
    return unsharedJobs(tx, row.filter.workflow as string, ids);
  }

  async #cancel(
    tx: Transaction,
    ids: string[],
    actor: string,
    reason: string | null,
  ): Promise<Cancelled> {
    // All first: between the two statements a lease could come or go, and a job would escape both.
    await lockLive(tx, ids);
    const ended = await cancelAtRest(tx, ids, actor, reason);
    const asked = await askCancel(tx, ids, { actor, reason });
    const below = await resolveDependents(tx, ended, SECONDS_PER_POINT);
    return { ended: [...ended, ...below.failed], ready: below.ready, asked };
  }

  /**
   * Revives these and every dependency_failed job below, but none that another bad dependency would
   * only fail again: `held` says which, and by what.
   */
  async #revive(
    tx: Transaction,
    ids: string[],
    actor: string,
    reason: string | null,
    onLocked: () => Promise<void> = async () => {},
  ): Promise<{ rows: ReadyRow[]; held: Map<string, string[]> }> {
    const ended = await lockEnds(tx, ids, REVIVE_MAX);
    if (ended.length === 0) return { rows: [], held: new Map() };
    await lockAround(tx, ended);
    await onLocked();
    const { free, held } = withoutHeld(ended, await badDependencies(tx, ended));
    if (free.length === 0) return { rows: [], held };
    const options = { secondsPerPoint: SECONDS_PER_POINT, actor, reason };
    return { rows: await reviveJobs(tx, free, options), held };
  }

  // Telling

  #announce({ ended, ready, asked }: Cancelled): void {
    if (ended.length > 0) this.#listener.ended(ended, []);
    if (ready.length > 0) this.#listener.ready(ready);
    if (asked.length > 0) this.#context.bus.tell("cancel.requested", {});
    if (ended.length + asked.length > 0) this.#context.bus.tell("events.committed", {});
  }

  #announceReady(rows: ReadyRow[]): void {
    if (rows.length === 0) return;
    this.#listener.ready(rows);
    this.#context.bus.tell("events.committed", {});
  }

  async #stateOf(id: string): Promise<JobState | null> {
    const [row] = await this.#context.database.intake.unsafe(
      `select coalesce((select state from live_job where id = $1),
         (select state from job_end where job_id = $1 order by finished_at desc limit 1)) as state`,
      [id],
      { prepare: true },
    );
    return (row?.state as JobState | null) ?? null;
  }
}

/** Takes out what depends on a bad end that is not among the rest, and what depends on that. */
function withoutHeld(ids: string[], bad: { id: string; dependency: string }[]) {
  const free = new Set(ids);
  const held = new Map<string, string[]>();
  const gone: string[] = [];
  const hold = (id: string, dependency: string) => {
    held.set(id, [...(held.get(id) ?? []), dependency]);
    if (free.delete(id)) gone.push(id);
  };
  const below = Map.groupBy(bad, (b) => b.dependency);
  for (const dependency of below.keys()) {
    if (free.has(dependency) || held.has(dependency)) continue;
    for (const { id } of below.get(dependency)!) hold(id, dependency);
  }
  // Grows while it is read.
  for (const dependency of gone) {
    for (const { id } of below.get(dependency) ?? []) hold(id, dependency);
  }
  return { free: [...free].sort(), held };
}

function notFound(id: string): ActionResult {
  return { ok: false, code: "not_found", reason: `There is no job ${id}.` };
}
