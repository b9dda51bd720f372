/** Workflows that have ended, with their members, edges and counts; see `write_past.ts`. */
import type { Transaction } from "../../client.ts";
import { rowSource } from "../../row_source.ts";

export interface PastWorkflowRow {
  id: string;
  org: number;
  name: string;
  state: "succeeded" | "failed" | "cancelled";
  commit: { hash: string; at: number } | null;
  createdAt: number;
  finishedAt: number;
  /** How many of its jobs ended so. */
  counts: Readonly<Record<string, number>>;
}

export interface PastMember {
  workflow: string;
  key: string;
  job: string;
}

export interface PastEdge {
  dependency: string;
  dependent: string;
  satisfiedAt: number | null;
}

/** What a job added to its workflow. */
export interface PastBatch {
  job: string;
  attempt: number;
  ids: Readonly<Record<string, string>>;
  at: number;
}

const workflows = rowSource<PastWorkflowRow>("w", [
  ["id", "uuid", (w) => w.id],
  ["org", "int", (w) => w.org],
  ["name", "text", (w) => w.name],
  ["state", "text", (w) => w.state],
  ["hash", "text", (w) => w.commit?.hash],
  ["committed", "seconds", (w) => w.commit?.at],
  ["created", "seconds", (w) => w.createdAt],
  ["finished", "seconds", (w) => w.finishedAt],
  ["counts", "json", (w) => w.counts],
]);
const members = rowSource<PastMember>(
  "m",
  [
    ["workflow", "uuid", (m) => m.workflow],
    ["key", "text", (m) => m.key],
    ["job", "uuid", (m) => m.job],
  ],
  workflows.next,
);
const edges = rowSource<PastEdge>(
  "e",
  [
    ["dependency", "uuid", (e) => e.dependency],
    ["dependent", "uuid", (e) => e.dependent],
    ["satisfied", "seconds", (e) => e.satisfiedAt],
  ],
  members.next,
);
const batches = rowSource<PastBatch>(
  "b",
  [
    ["job", "uuid", (b) => b.job],
    ["attempt", "int", (b) => b.attempt],
    ["ids", "json", (b) => b.ids],
    ["at", "seconds", (b) => b.at],
  ],
  edges.next,
);

const WRITE = `
with w as materialized (select * from ${workflows.sql}),
new_workflows as (
  insert into workflow (id, org_id, name, state, commit_hash, commit_at, created_at, finished_at)
  select id, org, name, state::workflow_state, hash, to_timestamp(committed), to_timestamp(created),
    to_timestamp(finished) from w),
counts as (
  insert into counter (org_id, queue_id, name_id, workflow_id, state, n)
  select w.org, 0, 0, w.id, c.key::job_state, c.value::bigint from w cross join jsonb_each_text(counts::jsonb) c),
new_members as (
  insert into workflow_job (workflow_id, key, job_id) select workflow, key, job from ${members.sql}),
new_edges as (
  insert into edge (dependency_id, dependent_id, satisfied_at)
  select dependency, dependent, to_timestamp(satisfied) from ${edges.sql})
insert into workflow_batch (job_id, attempt, batch, ids, created_at)
select job, attempt, '1', ids::jsonb, to_timestamp(at) from ${batches.sql}`;

export async function writePastWorkflows(
  tx: Transaction,
  rows: {
    workflows: readonly PastWorkflowRow[];
    members: readonly PastMember[];
    edges: readonly PastEdge[];
    batches: readonly PastBatch[];
  },
): Promise<void> {
  await tx.unsafe(
    WRITE,
    [
      ...workflows.params(rows.workflows),
      ...members.params(rows.members),
      ...edges.params(rows.edges),
      ...batches.params(rows.batches),
    ],
    { prepare: true },
  );
}
