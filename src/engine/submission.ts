/**
 * Submissions: plain jobs, workflows, and jobs added to a workflow. All or nothing, one transaction.
 *
 * Names are interned before it (a name harms nobody). Then, in the engine's lock order: workflow, the
 * jobs depended on, dedupe keys; then everything is inserted as it stands at rest.
 */
import { v7 as uuidv7 } from "uuid";
import { DEFAULT_BACKOFF } from "../core/backoff.ts";
import { readyRank, SECONDS_PER_POINT } from "../core/rank.ts";
import { normalRequirements, shapeKey } from "../core/shape_key.ts";
import { checkGraph, longestPathsBelow, pathWeight } from "../core/workflow_graph.ts";
import type { Transaction } from "../db/client.ts";
import { DeltaSum, insertCounterDeltas, NIL_UUID } from "../db/statements/counters.ts";
import { insertJobs, type NewJob } from "../db/statements/insert_jobs.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import {
  claimKeys,
  type DependencyState,
  type EdgeRow,
  insertEdges,
  insertWorkflowJobs,
  joinWorkflow,
  lockDependencies,
} from "../db/statements/submission.ts";
import type { ParsedJobInput, ParsedWorkflowJobInput } from "../messages/job_input.ts";
import type { EngineContext } from "./context.ts";
import { InvalidInput, NotFound, type Receipt, type Submitted } from "./engine.ts";
import type { Histories } from "./histories.ts";
import { signReceipt } from "./idempotency.ts";
import { transact } from "./pipeline.ts";
import { inOrder, type Ordered } from "./submission_order.ts";

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

  constructor(context: EngineContext, histories: Histories, announce: (placed: Placed) => void) {
    this.#context = context;
    this.#histories = histories;
    this.#announce = announce;
  }

  async submitJobs(
    org: string,
    inputs: ParsedJobInput[],
    actor: string,
    receipt?: Receipt,
  ): Promise<Submitted[]> {
    const orgId = await this.orgId(org);
    const drafts = inputs.map(
      (input, at): Draft => ({
        id: uuidv7(),
        input,
        inside: [],
        outside: [...new Set(input.depends_on ?? [])],
        dependents: 0,
        hasDependents: false,
        key: null,
        path: inputs.length === 1 ? [] : ["jobs", at],
      }),
    );
    const prepared = await this.prepare(orgId, drafts);
    const submittedOf = ({ ids }: Placed) =>
      drafts.map((d) => ({ id: ids.get(d.id)!, created: ids.get(d.id) === d.id }));
    const placed = await transact(this.#context.database.intake, async (tx) => {
      const placed = await this.place(tx, orgId, prepared, null, actor);
      await signReceipt(tx, receipt, submittedOf(placed));
      return placed;
    });
    this.#announce(placed);
    return submittedOf(placed);
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
    const queues = await names.internQueues(
      org,
      drafts.map((d) => d.input.queue),
    );
    const jobNames = await names.internJobNames(
      org,
      drafts.map((d) => d.input.name),
    );
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
    await insertJobs(tx, rows, at, actor);
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

interface Placing {
  dependencies: Map<string, DependencyState>;
  states: Map<string, NewJob>;
  ids: Map<string, string>;
  edges: EdgeRow[];
  at: number;
  actor: string;
  workflow: string | null;
}

function rowOf({ prepared, inside }: Ordered, org: number, p: Placing): NewJob {
  const { draft, queue, name, shape } = prepared;
  const { input } = draft;
  const waits = waitsOf(draft, inside, p);
  const runAt = input.run_at === undefined ? null : Date.parse(input.run_at);
  const deferred = runAt !== null && runAt > p.at;
  const state = waits.bad
    ? "dependency_failed"
    : deferred || waits.pending > 0
      ? "queued"
      : "ready";
  const backoff = input.backoff ?? DEFAULT_BACKOFF;
  return {
    id: draft.id,
    org,
    queue,
    name: name.id,
    countedName: name.counted,
    shape,
    kind: input.kind,
    priority: input.priority,
    maxAttempts: input.max_attempts,
    // Rounded to what a column holds: a number too small for it would be refused.
    backoffBase: Math.fround(backoff.base_seconds),
    backoffFactor: backoff.factor,
    backoffMax: backoff.max_seconds,
    timeoutSeconds: input.timeout_seconds ?? null,
    runAt,
    dependsOn: [...inside, ...draft.outside],
    dedupeKey: input.dedupe_key ?? null,
    tags: input.tags ?? null,
    createdBy: p.actor,
    payload: input.payload,
    state,
    waitingFor: state === "queued" ? (deferred ? "run_at" : "dependencies") : null,
    pendingDeps: waits.pending,
    dependents: draft.dependents,
    hasDependents: draft.hasDependents,
    hasWorkflow: p.workflow !== null,
    readyRank: state === "ready" ? readyRank(p.at, input.priority) : null,
    inputWorkers: waits.workers,
    reason: waits.bad,
  };
}

/** Writes the edges of one job and says what it still waits for. */
function waitsOf(draft: Draft, inside: string[], p: Placing) {
  let pending = 0;
  let bad: string | null = null;
  const workers: number[] = [];
  const outside = [...draft.outside, ...inside.filter((id) => p.dependencies.has(id))];
  for (const id of inside) {
    if (p.dependencies.has(id)) continue;
    p.edges.push({ dependency: id, dependent: draft.id, satisfiedAt: null });
    if (p.states.get(id)?.state === "dependency_failed") {
      bad ??= `dependency ${id} ended dependency_failed`;
    } else pending += 1;
  }
  for (const id of new Set(outside)) {
    const dependency = p.dependencies.get(id)!;
    const satisfiedAt = dependency.state === "succeeded" ? dependency.finished_ms : null;
    p.edges.push({ dependency: id, dependent: draft.id, satisfiedAt });
    if (dependency.alive) pending += 1;
    else if (satisfiedAt === null) bad ??= `dependency ${id} ended ${dependency.state}`;
    else if (dependency.worker_id !== null && workers.length < 8)
      workers.push(dependency.worker_id);
  }
  return { pending, bad, workers };
}

function countersOf(rows: NewJob[], workflow: string | null, org: number) {
  const sum = new DeltaSum();
  for (const row of rows) {
    if (row.state !== "dependency_failed") sum.addJob(row, row.state);
    if (workflow) sum.add({ org, queue: 0, name: 0, workflow, state: row.state, n: 1 });
  }
  return sum.values().filter((d) => d.n !== 0 && (d.workflow !== NIL_UUID || d.n > 0));
}

function readyRow(row: NewJob, at: number): ReadyRow[] {
  if (row.state !== "ready") return [];
  return [
    {
      id: row.id,
      shape_id: row.shape,
      org_id: row.org,
      queue_id: row.queue,
      name_id: row.name,
      state: "ready",
      priority: row.priority,
      ready_rank: at / 1000 - row.priority * SECONDS_PER_POINT,
      ready_s: at / 1000,
      dependents: row.dependents,
      input_workers: row.inputWorkers,
      rejected_by: null,
    },
  ];
}
