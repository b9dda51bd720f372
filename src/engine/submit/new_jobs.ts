/** A draft as the rows it will be, and what follows from them: edges, counters, a place in a line. */
import { DEFAULT_BACKOFF } from "../../core/backoff.ts";
import { readyRank } from "../../core/rank.ts";
import { DeltaSum, NIL_UUID } from "../../db/statements/counters.ts";
import type { NewJob } from "../../db/statements/insert_jobs.ts";
import type { ReadyRow } from "../../db/statements/ready_rows.ts";
import type { DependencyState, EdgeRow } from "../../db/statements/submission.ts";
import type { Draft } from "./submission.ts";
import type { Ordered } from "./submission_order.ts";

export interface Placing {
  dependencies: Map<string, DependencyState>;
  states: Map<string, NewJob>;
  ids: Map<string, string>;
  edges: EdgeRow[];
  at: number;
  actor: string;
  workflow: string | null;
}

export function rowOf({ prepared, inside }: Ordered, org: number, p: Placing): NewJob {
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
    // Rounded to what columns hold: a number too small for them would be refused.
    backoffBase: Math.fround(backoff.base_seconds),
    backoffFactor: backoff.factor,
    backoffMax: Math.fround(backoff.max_seconds),
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

export function countersOf(rows: NewJob[], workflow: string | null, org: number) {
  const sum = new DeltaSum();
  for (const row of rows) {
    if (row.state !== "dependency_failed") sum.addJob(row, row.state);
    if (workflow) sum.add({ org, queue: 0, name: 0, workflow, state: row.state, n: 1 });
  }
  return sum.values().filter((d) => d.n !== 0 && (d.workflow !== NIL_UUID || d.n > 0));
}

export function readyRow(row: NewJob, at: number): ReadyRow[] {
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
      ready_rank: row.readyRank,
      ready_s: at / 1000,
      dependents: row.dependents,
      input_workers: row.inputWorkers,
      rejected_by: null,
    },
  ];
}
