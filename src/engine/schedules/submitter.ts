/** What a schedule submits, as jobs: in its name, with two tags by which its runs are found. */
import { v7 as uuidv7 } from "uuid";
import type { Transaction } from "../../db/client.ts";
import type { ScheduleRow } from "../../db/statements/schedules/rows.ts";
import { insertWorkflow } from "../../db/statements/submission.ts";
import type { JobTemplate, WorkflowTemplate } from "../../messages/schedule_input.ts";
import type { EngineContext } from "../context.ts";
import { draftsOf, type Placed, type Prepared, type Submission } from "../submit/submission.ts";

export const SCHEDULE_TAG = "schedule";
export const TIME_TAG = "scheduled_for";

/** A run that waits to be written. */
export interface Ready {
  org: number;
  actor: string;
  prepared: Prepared;
  /** Null: one job. */
  workflow: { id: string; name: string } | null;
}

export interface Run {
  job: string | null;
  workflow: string | null;
  /** After the commit. */
  tell(): void;
}

export class Submitter {
  readonly #context: EngineContext;
  readonly #submission: Submission;

  constructor(context: EngineContext, submission: Submission) {
    this.#context = context;
    this.#submission = submission;
  }

  /** Interns what the run names. Throws InvalidInput where it cannot be submitted. */
  async prepare(row: ScheduleRow, nominal: number): Promise<Ready> {
    const own = { [SCHEDULE_TAG]: row.name, [TIME_TAG]: new Date(nominal).toISOString() };
    const about = { org: row.org_id, actor: `schedule ${row.name}` };
    if (row.workflow !== null) {
      const { name, jobs } = row.workflow as WorkflowTemplate;
      const tagged = jobs.map((job) => ({ ...job, tags: { ...job.tags, ...own } }));
      const drafts = await this.#submission.draft(row.org_id, tagged, new Map());
      const prepared = await this.#submission.prepare(row.org_id, drafts);
      return { ...about, prepared, workflow: { id: uuidv7(), name } };
    }
    const job = row.job as JobTemplate;
    const drafts = draftsOf([{ ...job, tags: { ...job.tags, ...own } }]);
    return {
      ...about,
      prepared: await this.#submission.prepare(row.org_id, drafts),
      workflow: null,
    };
  }

  async submit(tx: Transaction, { org, actor, prepared, workflow }: Ready): Promise<Run> {
    if (workflow !== null) {
      const at = this.#context.clock.now();
      const rest = { open: false, commitHash: null, commitAt: null, at };
      await insertWorkflow(tx, { ...workflow, org, ...rest });
    }
    const placed = await this.#submission.place(tx, org, prepared, workflow?.id ?? null, actor);
    const tell = () => this.#announce(placed);
    if (workflow !== null) return { job: null, workflow: workflow.id, tell };
    return { job: placed.ids.get(prepared.drafts[0]!.draft.id)!, workflow: null, tell };
  }

  #announce(placed: Placed): void {
    this.#context.recent.addBulk(placed.rows);
    this.#submission.announce(placed);
  }
}
