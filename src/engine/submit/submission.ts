/**
 * Submissions: plain jobs, workflows, and jobs added to a workflow. All or nothing, in one
 * transaction: a few plain jobs share the next beat of the intake with those of other callers,
 * everything else has a transaction of its own.
 *
 * Names are interned before it (a name harms nobody). Then, in the engine's lock order: workflow, the
 * jobs depended on, dedupe keys; then everything is inserted as it stands at rest.
 */
import { v7 as uuidv7 } from "uuid";
import { normalRequirements, shapeKey } from "../../core/shape_key.ts";
import { checkGraph, longestPathsBelow, pathWeight } from "../../core/workflow_graph.ts";
import type { Transaction } from "../../db/client.ts";
import { insertCounterDeltas } from "../../db/statements/counters.ts";
import { insertJobs, type NewJob } from "../../db/statements/insert_jobs.ts";
import type { ReadyRow } from "../../db/statements/ready_rows.ts";
import {
  claimKeys,
  type DependencyState,
  type EdgeRow,
  insertEdges,
  insertWorkflowJobs,
  joinWorkflow,
  lockDependencies,
} from "../../db/statements/submission.ts";
import type { ParsedJobInput, ParsedWorkflowJobInput } from "../../messages/job_input.ts";
import type { EngineContext } from "../context.ts";
import { InvalidInput, NotFound, type Receipt, type Submitted } from "../engine.ts";
import type { Histories } from "../histories.ts";
import { signReceipt } from "../idempotency.ts";
import { transact } from "../pipeline.ts";
import { Intake, type Plain } from "./intake.ts";
import { countersOf, readyRow, rowOf } from "./new_jobs.ts";
import { inOrder } from "./submission_order.ts";

type Path = (string | number)[];

/** A job before it is written, with where its faults are told. */
export interface Draft {
  id: string;
  input: ParsedJobInput | ParsedWorkflowJobInput;
  /** Jobs of this submission, and jobs outside it. */
  inside: string[];
  outside: string[];
  dependents: number;
  hasDependents: boolean;
  key: string | null;
  path: Path;
}

export interface Placed {
  rows: NewJob[];
  /** By draft id: the job that stands for it; another id where a dedupe key named one. */
  ids: Map<string, string>;
  ready: ReadyRow[];
}

export class Submission {
  readonly #context: EngineContext;
  readonly #histories: Histories;
  readonly #announce: (placed: Placed) => void;
  readonly #intake: Intake;

  constructor(context: EngineContext, histories: Histories, announce: (placed: Placed) => void) {
    this.#context = context;
    this.#histories = histories;
    this.#announce = announce;
    this.#intake = new Intake(context, (submissions) => {
      const ready = submissions.flatMap(({ rows, at }) => rows.flatMap((r) => readyRow(r, at)));
      announce({ rows: [], ids: new Map(), ready });
    });
  }

  async submitJobs(
    org: string,
    inputs: ParsedJobInput[],
    actor: string,
    receipt?: Receipt,
  ): Promise<Submitted[]> {
    const orgId = await this.orgId(org);
    const prepared = await this.prepare(orgId, draftsOf(inputs));
    const inFull = () => this.#submit(orgId, prepared, actor, receipt);
    if (!this.#intake.takes(inputs, receipt)) return await inFull();
    return await this.#intake.take(this.#plain(orgId, prepared, actor), receipt, inFull);
  }

  /** What waits for the next beat is written; what comes later goes in a transaction of its own. */
  stop(): Promise<void> {
    return this.#intake.stop();
  }

  /** In a transaction of its own. */
  async #submit(
    org: number,
    prepared: Prepared,
    actor: string,
    receipt: Receipt | undefined,
  ): Promise<Submitted[]> {
    const submittedOf = ({ ids }: Placed) =>
      prepared.drafts.map(({ draft: { id } }) => ({
        id: ids.get(id)!,
        created: ids.get(id) === id,
      }));
    const placed = await transact(this.#context.database.intake, async (tx) => {
      const placed = await this.place(tx, org, prepared, null, actor);
      await signReceipt(tx, receipt, submittedOf(placed));
      return placed;
    });
    this.#context.recent.addBulk(placed.rows);
    this.#announce(placed);
    return submittedOf(placed);
  }

  /** Jobs that neither wait for nor are any other, as they will be written. */
  #plain(org: number, { drafts }: Prepared, actor: string): Plain {
    // Whole milliseconds: what is answered now is what will be read later.
    const at = Math.floor(this.#context.clock.now());
    const placing = {
      dependencies: new Map(),
      states: new Map(),
      ids: new Map(),
      edges: [],
      at,
      actor,
      workflow: null,
    };
    const rows = drafts.map((prepared) => rowOf({ prepared, inside: [] }, org, placing));
    const requirements = drafts.map(({ shape }) => this.#context.names.shape(shape)!.requirements);
    return { rows, at, requirements };
  }

  announce(placed: Placed): void {
    this.#announce(placed);
  }

  async orgId(name: string): Promise<number> {
    const id = await this.#context.names.orgId(name);
    if (id === undefined) throw new NotFound(`There is no organization ${name}.`);
    return id;
  }

  /** Drafts of a workflow's jobs; the graph is checked against `known` keys of jobs it has already. */
  async draft(
    org: number,
    jobs: ParsedWorkflowJobInput[],
    known: ReadonlyMap<string, string>,
  ): Promise<Draft[]> {
    const checked = checkGraph(jobs, new Set(known.keys()));
    if (!checked.ok) {
      const issues = checked.problems.map((p) => ({
        path: ["jobs", ...p.path],
        message: p.message,
      }));
      throw new InvalidInput(checked.problems[0]!.message, issues);
    }
    const names = await this.#context.names.internJobNames(
      org,
      jobs.map((j) => j.name),
    );
    await this.#histories.load([...names.values()].map((n) => n.id));
    const weights = jobs.map((j) => pathWeight(this.#histories.of(names.get(j.name)!.id)?.runMs));
    const below = longestPathsBelow(checked.graph, weights);
    const ids = jobs.map(() => uuidv7());
    return jobs.map((input, at): Draft => {
      const outside = (input.depends_on ?? []).flatMap((d) =>
        typeof d === "string" ? [] : [d.job],
      );
      const old = checked.graph.known[at]!.map((key) => known.get(key)!);
      return {
        id: ids[at]!,
        input,
        inside: checked.graph.dependencies[at]!.map((node) => ids[node]!),
        outside: [...new Set([...outside, ...old])],
        dependents: below[at]!,
        hasDependents: checked.graph.dependents[at]!.length > 0,
        key: input.key,
        path: ["jobs", at],
      };
    });
  }

  /** Interns everything the drafts name. */
  async prepare(org: number, drafts: Draft[]): Promise<Prepared> {
    const { names } = this.#context;
    const [queues, jobNames] = await Promise.all([
      names.internQueues(
        org,
        drafts.map((d) => d.input.queue),
      ),
      names.internJobNames(
        org,
        drafts.map((d) => d.input.name),
      ),
    ]);
    const shapes = drafts.map(({ input }) => {
      const parts = {
        org,
        queue: queues.get(input.queue)!,
        kind: input.kind,
        name: input.kind === "handler" ? jobNames.get(input.name)!.id : null,
        requirements: normalRequirements(input.requirements),
      };
      return { ...parts, key: shapeKey(parts) };
    });
    const shapeIds = await names.internShapes(shapes);
    return {
      drafts: drafts.map((draft, at) => ({
        draft,
        queue: shapes[at]!.queue,
        name: jobNames.get(draft.input.name)!,
        shape: shapeIds[at]!,
      })),
    };
  }

  /** Inside a transaction that holds the workflow, if there is one. */
  async place(
    tx: Transaction,
    org: number,
    { drafts }: Prepared,
    workflow: string | null,
    actor: string,
  ): Promise<Placed> {
    const outside = [...new Set(drafts.flatMap((d) => d.draft.outside))];
    const weight = 1 + drafts.reduce((most, d) => Math.max(most, d.draft.dependents), 0);
    const dependencies = await lockDependencies(tx, org, outside, weight);
    refuseUnknown(drafts, dependencies);
    const ids = await this.#claim(tx, org, drafts);
    const fresh = drafts.filter((d) => ids.get(d.draft.id) === d.draft.id);
    await this.#joinNamed(tx, org, { drafts, ids, dependencies, weight, workflow });
    const at = this.#context.clock.now();
    const states = new Map<string, NewJob>();
    const edges: EdgeRow[] = [];
    // Dependencies come before their dependents, so one pass knows who fails at once.
    for (const d of inOrder(fresh, ids)) {
      const row = rowOf(d, org, { dependencies, states, ids, edges, at, actor, workflow });
      states.set(row.id, row);
    }
    const rows = fresh.map((d) => states.get(d.draft.id)!);
    await insertJobs(tx, rows, at);
    await insertEdges(tx, edges);
    if (workflow) {
      const members = drafts.map((d) => ({ key: d.draft.key!, id: ids.get(d.draft.id)! }));
      await insertWorkflowJobs(tx, workflow, members);
    }
    await insertCounterDeltas(tx, countersOf(rows, workflow, org));
    return { rows, ids, ready: rows.flatMap((r) => readyRow(r, at)) };
  }

  /** Jobs that dedupe keys named: others here may wait for them, and the workflow counts them. */
  async #joinNamed(
    tx: Transaction,
    org: number,
    p: {
      drafts: PreparedDraft[];
      ids: Map<string, string>;
      dependencies: Map<string, DependencyState>;
      weight: number;
      workflow: string | null;
    },
  ): Promise<void> {
    const own = new Set(p.drafts.map((d) => d.draft.id));
    const named = [...new Set(p.ids.values())].filter((id) => !own.has(id));
    if (named.length === 0) return;
    for (const [id, state] of await lockDependencies(tx, org, named, p.weight)) {
      p.dependencies.set(id, state);
    }
    if (p.workflow) await joinWorkflow(tx, p.workflow, named);
  }

  async #claim(tx: Transaction, org: number, drafts: PreparedDraft[]) {
    const ids = new Map(drafts.map((d) => [d.draft.id, d.draft.id]));
    const first = new Map<string, string>();
    for (const { draft } of drafts) {
      const key = draft.input.dedupe_key;
      if (key !== undefined && !first.has(key)) first.set(key, draft.id);
    }
    if (first.size === 0) return ids;
    const claims = [...first].map(([key, job]) => ({ key, job }));
    const winners = await claimKeys(tx, org, claims);
    for (const { draft } of drafts) {
      const key = draft.input.dedupe_key;
      if (key !== undefined) ids.set(draft.id, winners.get(key)!);
    }
    return ids;
  }
}

/** Jobs that are in no workflow. */
export function draftsOf(inputs: readonly ParsedJobInput[]): Draft[] {
  return inputs.map((input, at) => ({
    id: uuidv7(),
    input,
    inside: [],
    outside: [...new Set(input.depends_on ?? [])],
    dependents: 0,
    hasDependents: false,
    key: null,
    path: inputs.length === 1 ? [] : ["jobs", at],
  }));
}

export interface PreparedDraft {
  draft: Draft;
  queue: number;
  name: { id: number; counted: number };
  shape: number;
}
export interface Prepared {
  drafts: PreparedDraft[];
}

function refuseUnknown(drafts: PreparedDraft[], known: Map<string, DependencyState>): void {
  const issues = drafts.flatMap(({ draft }) =>
    draft.outside.flatMap((id, at) =>
      known.has(id)
        ? []
        : [{ path: [...draft.path, "depends_on", at], message: `There is no job ${id}.` }],
    ),
  );
  if (issues.length > 0) throw new InvalidInput(issues[0]!.message, issues.slice(0, 20));
}
