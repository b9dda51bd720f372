/** Workflows: submitted whole, extended while open, extended by their own running jobs, cancelled. */
import { v7 as uuidv7 } from "uuid";
import { checkStorable } from "../../core/storable.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import {
  closeWorkflow,
  findBatch,
  insertBatch,
  insertWorkflow,
  insertWorkflowJobs,
  joinWorkflow,
  lockLease,
  lockWorkflow,
  openWorkflowsOf,
  workflowKeys,
} from "../../db/statements/submission.ts";
import type { ParsedWorkflowInput, ParsedWorkflowJobInput } from "../../messages/job_input.ts";
import type { EngineContext } from "../context.ts";
import { InvalidInput, NotFound, type Receipt, type SubmittedWorkflow } from "../engine.ts";
import { signReceipt } from "../idempotency.ts";
import { rest, sqlState, transact } from "../pipeline.ts";
import type { Placed, Submission } from "./submission.ts";

export class Workflows {
  readonly #context: EngineContext;
  readonly #submission: Submission;
  /** Called where a workflow may be over without any job of it having ended now. */
  readonly #mayBeOver: (workflow: string) => void;

  constructor(
    context: EngineContext,
    submission: Submission,
    mayBeOver: (workflow: string) => void,
  ) {
    this.#context = context;
    this.#submission = submission;
    this.#mayBeOver = mayBeOver;
  }

  async submit(
    org: string,
    input: ParsedWorkflowInput,
    actor: string,
    receipt?: Receipt,
  ): Promise<SubmittedWorkflow> {
    if (input.jobs.length === 0 && !input.open) {
      throw new InvalidInput("A workflow needs at least one job, or open: true.", [
        { path: ["jobs"], message: "Give at least one job, or say open: true and add jobs later." },
      ]);
    }
    const orgId = await this.#submission.orgId(org);
    const drafts = await this.#submission.draft(orgId, input.jobs, new Map());
    const prepared = await this.#submission.prepare(orgId, drafts);
    const id = uuidv7();
    const placed = await transact(this.#context.database.intake, async (tx) => {
      await insertWorkflow(tx, {
        id,
        org: orgId,
        name: input.name,
        open: input.open ?? false,
        commitHash: input.commit?.hash ?? null,
        commitAt: input.commit?.timestamp ?? null,
        at: this.#context.clock.now(),
      });
      const placed = await this.#submission.place(tx, orgId, prepared, id, actor);
      await signReceipt(tx, receipt, { id, jobs: keysOf(drafts, placed) });
      return placed;
    });
    this.#submission.announce(placed);
    // All of it may have failed at once, by what it depends on.
    if (placed.rows.every((row) => row.state === "dependency_failed")) this.#mayBeOver(id);
    return { id, jobs: keysOf(drafts, placed) };
  }

  /** Adds jobs to an open workflow by API. */
  async add(
    id: string,
    jobs: ParsedWorkflowJobInput[],
    { close, receipt }: { close: boolean; receipt?: Receipt | undefined },
    actor: string,
  ): Promise<SubmittedWorkflow> {
    const org = await this.#orgOf(id);
    const result = await transact(this.#context.database.intake, async (tx) => {
      const row = await lockWorkflow(tx, id);
      if (!row) throw new NotFound(`There is no workflow ${id}.`);
      if (row.state !== "open") {
        throw new InvalidInput(`Workflow ${id} is ${row.state}: only an open workflow takes jobs.`);
      }
      const added = await this.#extend(tx, org, id, jobs, actor);
      if (close) await closeWorkflow(tx, id);
      await signReceipt(tx, receipt, { id, jobs: added.ids });
      return added;
    });
    this.#submission.announce(result.placed);
    if (close) this.#mayBeOver(id);
    return { id, jobs: result.ids };
  }

  /**
   * Jobs that a running attempt adds: an evaluation (engine rule 20). Repeats of (attempt, batch)
   * answer what the first one made. A job without a workflow gets one of its own.
   */
  async addByJob(
    lease: { job: string; attempt: number; token: string; org: number; name: string },
    batch: string,
    jobs: ParsedWorkflowJobInput[],
  ): Promise<Record<string, string>> {
    refuseUnstorable(jobs);
    // What a try has placed, also where nobody heard whether it committed.
    let placed: Placed | null = null;
    const ids = await throughOutage(this.#context.database.intake, async (tx) => {
      const first = (await openWorkflowsOf(tx, lease.job))[0];
      if (first) await lockWorkflow(tx, first);
      if (!(await lockLease(tx, lease.job, lease.token))) {
        throw new InvalidInput("This attempt is over: its jobs were not added.");
      }
      // Asked again under the lock: another batch of this job may have made the workflow meanwhile.
      const workflow = first ?? (await openWorkflowsOf(tx, lease.job))[0];
      const known = await findBatch(tx, lease.job, lease.attempt, batch);
      if (known) return known;
      await refuseCancelled(tx, workflow);
      const target = workflow ?? (await this.#adopt(tx, lease));
      const actor = `job ${lease.job}`;
      // An attempt that repeats what an earlier one did finds its jobs by their keys.
      const keys = await workflowKeys(tx, target);
      const fresh = jobs.filter((j) => !keys.has(j.key));
      const added = await this.#extend(tx, lease.org, target, fresh, actor);
      const { ids } = added;
      for (const { key } of jobs) ids[key] ??= keys.get(key)!;
      await insertBatch(tx, lease.job, lease.attempt, batch, ids);
      placed = added.placed;
      return ids;
    });
    if (placed) this.#submission.announce(placed);
    return ids;
  }

  /** A workflow around a job that had none, so that what it adds belongs together. */
  async #adopt(
    tx: Transaction,
    lease: { job: string; org: number; name: string },
  ): Promise<string> {
    const id = uuidv7();
    const at = this.#context.clock.now();
    const row = {
      id,
      org: lease.org,
      name: lease.name,
      open: false,
      commitHash: null,
      commitAt: null,
    };
    await insertWorkflow(tx, { ...row, at });
    await joinWorkflow(tx, id, [lease.job]);
    await insertWorkflowJobs(tx, id, [{ key: lease.name, id: lease.job }]);
    return id;
  }

  async #extend(
    tx: Transaction,
    org: number,
    workflow: string,
    jobs: ParsedWorkflowJobInput[],
    actor: string,
  ): Promise<{ ids: Record<string, string>; placed: Placed }> {
    const known = await workflowKeys(tx, workflow);
    const drafts = await this.#submission.draft(org, jobs, known);
    const prepared = await this.#submission.prepare(org, drafts);
    const placed = await this.#submission.place(tx, org, prepared, workflow, actor);
    return { ids: keysOf(drafts, placed), placed };
  }

  async #orgOf(id: string): Promise<number> {
    const [row] = await this.#context.database.intake.unsafe(
      "select org_id from workflow where id = $1",
      [id],
      { prepare: true },
    );
    if (!row) throw new NotFound(`There is no workflow ${id}.`);
    return row.org_id as number;
  }
}

/** A frame may be four times as large as a payload may be; the API checks its own. */
function refuseUnstorable(jobs: ParsedWorkflowJobInput[]): void {
  for (const { key, payload } of jobs) {
    const wrong = checkStorable(payload);
    if (wrong !== null) {
      throw new InvalidInput(`The payload of ${key} cannot be stored. ${wrong} No job was added.`);
    }
  }
}

/** As long as a running job waits for an answer about its batch before it hears that there is none. */
const OUTAGE_MS = 30_000;

/**
 * A transaction that may run again whatever became of it: what was committed unheard is found by the
 * next try. So a job that adds jobs need not fail because a connection did.
 */
async function throughOutage<R>(sql: Sql, run: (tx: Transaction) => Promise<R>): Promise<R> {
  const deadline = performance.now() + OUTAGE_MS;
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    try {
      return await transact(sql, run);
    } catch (error) {
      if (!isOutage(error) || performance.now() > deadline) throw error;
      await rest(pause);
    }
  }
}

/** The connection failed, not the transaction; and not because this server closes its own. */
function isOutage(error: unknown): boolean {
  const code = (error as { code?: unknown })?.code;
  return typeof code === "string" && sqlState(error) === undefined && code !== "CONNECTION_ENDED";
}

/** A workflow whose cancel was asked takes nothing more: it would run on after its end. */
async function refuseCancelled(tx: Transaction, workflow: string | undefined): Promise<void> {
  const row = workflow === undefined ? null : await lockWorkflow(tx, workflow);
  if (row?.cancelled)
    throw new InvalidInput("Its workflow is being cancelled: no jobs were added.");
}

function keysOf(
  drafts: { id: string; key: string | null }[],
  placed: Placed,
): Record<string, string> {
  return Object.fromEntries(drafts.map((d) => [d.key!, placed.ids.get(d.id)!]));
}
