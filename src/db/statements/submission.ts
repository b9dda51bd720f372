/**
 * What a submission locks and reads before its jobs are inserted: the jobs it depends on (engine
 * rule 18), dedupe keys (rule 31), its workflow.
 */
import { plainArray, secondsArray, textArray } from "../arrays.ts";
import type { Transaction } from "../client.ts";

const prepared = { prepare: true };

export interface DependencyState {
  id: string;
  org_id: number;
  /** Null where the job has ended. */
  alive: boolean;
  state: string;
  /** Epoch milliseconds; null while it is alive. */
  finished_ms: number | null;
  worker_id: number | null;
}

/** Rounds of looking for a job that a retry takes from the ended to the live ones meanwhile. */
const LOOKS = 3;

/**
 * Locks the live ones by id, before their state is read, and marks that something waits for them;
 * then, with a new snapshot, reads the ends of the others, and locks those that a retry may take
 * back: it has to see what now depends on them. `weight` raises their `dependents`.
 */
export async function lockDependencies(
  tx: Transaction,
  org: number,
  ids: string[],
  weight: number,
): Promise<Map<string, DependencyState>> {
  const found = new Map<string, DependencyState>();
  let missing = ids;
  for (let looks = 0; looks < LOOKS && missing.length > 0; looks++) {
    for (const row of await lockAlive(tx, org, missing, weight)) found.set(row.id, row);
    missing = ids.filter((id) => !found.has(id));
    for (const row of await lockEnded(tx, org, missing)) found.set(row.id, row);
    missing = ids.filter((id) => !found.has(id));
  }
  return found;
}

async function lockAlive(
  tx: Transaction,
  org: number,
  ids: string[],
  weight: number,
): Promise<DependencyState[]> {
  const list = plainArray([...ids].sort());
  await tx.unsafe(
    `select id from live_job where id = any($1::uuid[]) and org_id = $2 order by id for no key update`,
    [list, org],
    prepared,
  );
  const alive = await tx.unsafe(
    `update live_job set has_dependents = true, dependents = greatest(dependents, $2::real)
     where id = any($1::uuid[]) and org_id = $3 returning id, org_id, state`,
    [list, weight, org],
    prepared,
  );
  return alive.map((row) => ({
    id: row.id,
    org_id: row.org_id,
    alive: true,
    state: row.state,
    finished_ms: null,
    worker_id: null,
  }));
}

async function lockEnded(tx: Transaction, org: number, ids: string[]): Promise<DependencyState[]> {
  if (ids.length === 0) return [];
  const list = plainArray([...ids].sort());
  await tx.unsafe(
    `select from job_end where job_id = any($1::uuid[]) and org_id = $2 and state <> 'succeeded'
     order by job_id for share`,
    [list, org],
    prepared,
  );
  const ended = await tx.unsafe(
    `select job_id as id, org_id, state, extract(epoch from finished_at)::float8 * 1000 as finished_ms,
       worker_id from job_end where job_id = any($1::uuid[]) and org_id = $2`,
    [list, org],
    prepared,
  );
  return ended.map((row) => ({ ...(row as unknown as DependencyState), alive: false }));
}

export interface EdgeRow {
  dependency: string;
  dependent: string;
  /** Epoch milliseconds where the dependency had ended well already. */
  satisfiedAt: number | null;
}

export async function insertEdges(tx: Transaction, edges: EdgeRow[]): Promise<void> {
  for (let at = 0; at < edges.length; at += 10_000) {
    const rows = edges.slice(at, at + 10_000);
    await tx.unsafe(
      `insert into edge (dependency_id, dependent_id, satisfied_at)
       select a, b, to_timestamp(s) from unnest($1::uuid[], $2::uuid[], $3::float8[]) as t(a, b, s)
       on conflict do nothing`,
      [
        plainArray(rows.map((e) => e.dependency)),
        plainArray(rows.map((e) => e.dependent)),
        secondsArray(rows.map((e) => e.satisfiedAt)),
      ],
      prepared,
    );
  }
}

/** The pruner comes every few seconds: twice in a row is rare. */
const CLAIM_TRIES_MAX = 20;

/**
 * Claims dedupe keys for new jobs. Returns, by key, the job that has it: ours where the key was free
 * or named a job that has ended.
 */
export async function claimKeys(
  tx: Transaction,
  org: number,
  claims: { key: string; job: string }[],
): Promise<Map<string, string>> {
  const sorted = [...claims].sort((a, b) => (a.key < b.key ? -1 : 1));
  const keys = textArray(sorted.map((c) => c.key));
  const jobs = plainArray(sorted.map((c) => c.job));
  // Again, where the pruner took a key away between the two: a key that nobody holds would be given twice.
  const distinct = new Set(claims.map((c) => c.key)).size;
  for (let held = 0, tries = 1; held < distinct; tries++) {
    if (tries > CLAIM_TRIES_MAX) throw new Error("Dedupe keys were taken away again and again.");
    await tx.unsafe(
      `insert into job_key (org_id, key, job_id)
       select $1, k, j from unnest($2::text[], $3::uuid[]) as t(k, j) order by k
       on conflict (org_id, key) do nothing`,
      [org, keys, jobs],
      prepared,
    );
    // A second statement: the first cannot see keys that others claimed meanwhile.
    const locked = await tx.unsafe(
      `select key from job_key where org_id = $1 and key = any($2::text[])
       order by key for no key update`,
      [org, keys],
      prepared,
    );
    held = locked.length;
  }
  await tx.unsafe(
    `select from (
       select job_id from job_key where org_id = $1 and key = any($2::text[]) order by 1 offset 0) k
     cross join lateral (select from live_job where id = k.job_id for no key update) l`,
    [org, keys],
    prepared,
  );
  // Keys and jobs are locked now: what lives stays alive, and a key whose job has ended is free.
  await tx.unsafe(
    `insert into job_key (org_id, key, job_id)
     select $1, k, j from unnest($2::text[], $3::uuid[]) as t(k, j) order by k
     on conflict (org_id, key) do update set job_id = excluded.job_id
     where job_key.job_id <> excluded.job_id
       and not exists (select from live_job l where l.id = job_key.job_id offset 0)`,
    [org, keys, jobs],
    prepared,
  );
  const rows = await tx.unsafe(
    `select key, job_id from job_key where org_id = $1 and key = any($2::text[])`,
    [org, keys],
    prepared,
  );
  return new Map(rows.map((r) => [r.key as string, r.job_id as string]));
}

export interface NewWorkflow {
  id: string;
  org: number;
  name: string;
  open: boolean;
  commitHash: string | null;
  commitAt: string | null;
  /** Epoch milliseconds. */
  at: number;
}

export async function insertWorkflow(tx: Transaction, w: NewWorkflow): Promise<void> {
  await tx.unsafe(
    `insert into workflow (id, org_id, name, state, open, commit_hash, commit_at, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8))`,
    [
      w.id,
      w.org,
      w.name,
      w.open ? "open" : "running",
      w.open,
      w.commitHash,
      w.commitAt,
      w.at / 1000,
    ],
    prepared,
  );
}

export async function insertWorkflowJobs(
  tx: Transaction,
  workflow: string,
  jobs: { key: string; id: string }[],
): Promise<void> {
  await tx.unsafe(
    `insert into workflow_job (workflow_id, key, job_id)
     select $1, k, j from unnest($2::text[], $3::uuid[]) as t(k, j)`,
    [workflow, textArray(jobs.map((j) => j.key)), plainArray(jobs.map((j) => j.id))],
    prepared,
  );
}

/** Jobs that live already and now belong to this workflow too: counted there from now on. */
export async function joinWorkflow(tx: Transaction, workflow: string, ids: string[]) {
  await tx.unsafe(
    `with mine as (
       update live_job l set has_workflow = true where l.id = any($2::uuid[])
         and (select count(*) from workflow_job w
              where w.job_id = any(array[l.id]) and (w.workflow_id = $1) is true) = 0
       returning org_id, state)
     insert into counter_delta (org_id, workflow_id, state, n)
     select org_id, $1, state, count(*) from mine group by 1, 3`,
    [workflow, plainArray(ids)],
    prepared,
  );
}

export interface WorkflowRow {
  id: string;
  org_id: number;
  state: "open" | "running" | "succeeded" | "failed" | "cancelled";
  open: boolean;
  /** Its cancel was asked. */
  cancelled: boolean;
}

export async function lockWorkflow(tx: Transaction, id: string): Promise<WorkflowRow | null> {
  const [row] = await tx.unsafe(
    `select id, org_id, state, open, cancel_requested_at is not null as cancelled from workflow
     where id = $1 for no key update`,
    [id],
    prepared,
  );
  return (row as unknown as WorkflowRow) ?? null;
}

export async function workflowKeys(tx: Transaction, id: string): Promise<Map<string, string>> {
  const rows = await tx.unsafe(
    `select key, job_id from workflow_job where workflow_id = $1`,
    [id],
    prepared,
  );
  return new Map(rows.map((r) => [r.key as string, r.job_id as string]));
}

/** Nothing more will be added: it is running until its jobs have ended. */
export async function closeWorkflow(tx: Transaction, id: string): Promise<void> {
  await tx.unsafe(
    `update workflow set open = false, state = 'running' where id = $1 and state = 'open'`,
    [id],
    prepared,
  );
}

/** The workflows of a job that are not finished, oldest first. */
export async function openWorkflowsOf(tx: Transaction, job: string): Promise<string[]> {
  const rows = await tx.unsafe(
    `select w.id from workflow_job j join workflow w on w.id = j.workflow_id
     where j.job_id = $1 and w.finished_at is null order by w.id`,
    [job],
    prepared,
  );
  return rows.map((r) => r.id as string);
}

export async function findBatch(
  tx: Transaction,
  job: string,
  attempt: number,
  batch: string,
): Promise<Record<string, string> | null> {
  const [row] = await tx.unsafe(
    `select ids from workflow_batch where job_id = $1 and attempt = $2 and batch = $3`,
    [job, attempt, batch],
    prepared,
  );
  return (row?.ids as Record<string, string>) ?? null;
}

export async function insertBatch(
  tx: Transaction,
  job: string,
  attempt: number,
  batch: string,
  ids: Record<string, string>,
): Promise<void> {
  await tx.unsafe(
    `insert into workflow_batch (job_id, attempt, batch, ids) values ($1, $2, $3, $4::text::jsonb)`,
    [job, attempt, batch, JSON.stringify(ids)],
    prepared,
  );
}

/** The lease still stands: locked, so that the job cannot end before its new jobs exist. */
export async function lockLease(tx: Transaction, job: string, token: string): Promise<boolean> {
  const rows = await tx.unsafe(
    `select 1 from live_job where id = $1 and token = $2 for no key update`,
    [job, token],
    prepared,
  );
  return rows.length > 0;
}
