/** Makes jobs of the past out of what is submitted today: ids, kinds, who waits for whom. */
import type { JobInput, WorkflowJobInput } from "../../messages/job_input.ts";
import { evaluated } from "../cast/firmware.ts";
import type { Submission } from "../cast/task.ts";
import type { Dice } from "../dice.ts";
import { dated } from "../director.ts";
import { pastId } from "./ids.ts";
import type { PastAttempt, PastJob, PastKind, PastSubmission } from "./past_job.ts";

export class Casting {
  readonly #kinds: ReadonlyMap<string, PastKind>;
  /** Jobs by key of each workflow that lives. */
  readonly #keys = new WeakMap<PastSubmission, Map<string, PastJob>>();

  /** `kinds`: by organization and name, as `kindKey` says. */
  constructor(kinds: ReadonlyMap<string, PastKind>) {
    this.#kinds = kinds;
  }

  accept({ org, workflow, jobs = [] }: Submission, at: number, dice: Dice): PastSubmission {
    const input = workflow && dated(workflow, at);
    const submission: PastSubmission = {
      org: 0,
      jobs: [],
      alive: 0,
      endedAt: at,
      workflow: input
        ? {
            id: pastId(at, dice),
            name: input.name,
            createdAt: at,
            added: [],
            commit: input.commit ?? null,
          }
        : null,
    };
    this.#keys.set(submission, new Map());
    for (const job of jobs) this.#make(submission, org, job, null, at, dice);
    if (input) this.#members(submission, org, input.jobs, at, dice);
    submission.org = submission.jobs[0]!.kind.org;
    return submission;
  }

  /** What a job that extends its workflow adds to it. */
  extend(attempt: PastAttempt, at: number, dice: Dice): PastJob[] {
    const { job, number } = attempt;
    const { submission, input } = job;
    const { env = {} } = (input.payload ?? {}) as { env?: Record<string, string> };
    const made = this.#members(submission, job.kind.orgName, evaluated(env), at, dice);
    const ids = Object.fromEntries(made.map((one) => [one.key, one.id]));
    submission.workflow?.added.push({ job, attempt: number, ids, at });
    return made;
  }

  #members(
    submission: PastSubmission,
    org: string,
    inputs: readonly WorkflowJobInput[],
    at: number,
    dice: Dice,
  ): PastJob[] {
    const byKey = this.#keys.get(submission)!;
    const made = inputs.map(({ key, depends_on: _, ...input }) => {
      const job = this.#make(submission, org, input, key, at, dice);
      byKey.set(key, job);
      return job;
    });
    for (const [place, { depends_on: needs = [] }] of inputs.entries()) {
      const job = made[place]!;
      for (const need of needs) {
        const dependency = byKey.get(need as string)!;
        job.dependencies.push(dependency);
        dependency.dependents.push(job);
        job.pending += 1;
      }
    }
    const known = new Map<PastJob, number>();
    for (const job of made) job.below = longestBelow(job, known);
    return made;
  }

  #make(
    submission: PastSubmission,
    org: string,
    input: JobInput,
    key: string | null,
    at: number,
    dice: Dice,
  ): PastJob {
    const kind = this.#kinds.get(kindKey(org, input.name))!;
    const job: PastJob = {
      id: pastId(at, dice),
      kind,
      input,
      submission,
      key,
      createdAt: at,
      priority: input.priority ?? 0,
      maxAttempts: input.max_attempts ?? 1,
      dependencies: [],
      dependents: [],
      pending: 0,
      failures: 0,
      below: 0,
      attempts: [],
      queuedAt: at,
      eligibleAt: at,
      readyAt: at,
      risen: true,
      inputWorkers: [],
      scoring: null,
      end: null,
    };
    submission.jobs.push(job);
    submission.alive += 1;
    return job;
  }
}

export function kindKey(org: string, name: string): string {
  return `${org}/${name}`;
}

function longestBelow(job: PastJob, known: Map<PastJob, number>): number {
  const found = known.get(job);
  if (found !== undefined) return found;
  let longest = 0;
  for (const one of job.dependents) longest = Math.max(longest, 1 + longestBelow(one, known));
  known.set(job, longest);
  return longest;
}
