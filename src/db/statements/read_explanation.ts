/** Reads behind `explain`: one job, the connected workers, its place in the line. All bounded. */
import { type EndSpan, possibleEnds } from "../../core/ids.ts";
import type { WorkerMetrics } from "../../messages/frames.ts";
import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { inLikelyDays } from "../likely_ends.ts";

const prepared = { prepare: true };

export interface JobFactsRow {
  id: string;
  org_id: number;
  queue_id: number;
  name_id: number;
  shape_id: number;
  state: string;
  waiting_for: string | null;
  priority: number;
  failures: number;
  max_attempts: number;
  pending_deps: number;
  dependents: number;
  ready_rank: number | null;
  ready_ms: number | null;
  due_ms: number | null;
  cancel_requested: boolean;
  rejected_by: number[] | null;
  input_workers: number[] | null;
  last_error: string | null;
}

/** A live job's facts; of an ended one only what names it and its final state. */
export async function readJobFacts(sql: Sql, id: string): Promise<JobFactsRow | null> {
  const [live] = await sql.unsafe(
    `select id, org_id, queue_id, name_id, shape_id, state, waiting_for, priority, failures, max_attempts,
       pending_deps, dependents, ready_rank, extract(epoch from ready_at)::float8 * 1000 as ready_ms,
       extract(epoch from due_at)::float8 * 1000 as due_ms,
       cancel_requested_at is not null as cancel_requested, rejected_by, input_workers, last_error
     from live_job where id = $1`,
    [id],
    prepared,
  );
  if (live) return live as unknown as JobFactsRow;
  return await inLikelyDays([id], (ends) => readEndedFacts(sql, id, ends), isFound);
}

const isFound = (row: object | null) => row !== null;

async function readEndedFacts(sql: Sql, id: string, ends: EndSpan): Promise<JobFactsRow | null> {
  const [ended] = await sql.unsafe(
    `select j.id, j.org_id, j.queue_id, j.name_id, j.shape_id, e.state, null as waiting_for, j.priority,
       e.failures, j.max_attempts, 0 as pending_deps, 0 as dependents, null as ready_rank,
       null as ready_ms, null as due_ms, false as cancel_requested, null as rejected_by,
       null as input_workers, e.error as last_error
     from job j join job_end e on e.job_id = j.id
     where j.id = $1 and e.finished_at >= $2 and e.finished_at < $3`,
    [id, ends.since, ends.until],
    prepared,
  );
  return (ended as unknown as JobFactsRow) ?? null;
}

export interface AttemptFacts {
  attempt: number;
  worker_id: number;
  score: number | null;
  rules_version: number | null;
  terms: number[] | null;
  candidates: string[] | null;
  candidate_scores: number[] | null;
  considered: number | null;
  worker_context: string | null;
  job_context: string | null;
  instance_context: string | null;
}

const ATTEMPT = `a.attempt, a.worker_id, a.score, d.rules_version, d.terms, d.candidates, d.candidate_scores,
  d.considered, d.worker_context, d.job_context, d.instance_context`;
/** Without what the retention of decisions has taken. */
const DECIDED = `left join decided_job d on d.beat = any(array[a.beat]) and d.beat_place = a.beat_place`;

/** The attempt that lives, or that was; `attempt` null: the latest. */
export async function readAttempt(
  sql: Sql,
  id: string,
  attempt: number | null,
): Promise<AttemptFacts | null> {
  const [live] = await sql.unsafe(
    `select ${ATTEMPT} from live_job a ${DECIDED}
     where a.id = $1 and a.session_id is not null and ($2::int is null or a.attempt = $2)`,
    [id, attempt],
    prepared,
  );
  if (live) return live as unknown as AttemptFacts;
  const read = (ends: EndSpan) => readPastAttempt(sql, { id, attempt, ends });
  // The latest may be of any day: one that was run again by hand has earlier ones in those that are likely.
  return await (attempt === null ? read(possibleEnds(id)) : inLikelyDays([id], read, isFound));
}

async function readPastAttempt(
  sql: Sql,
  { id, attempt, ends }: { id: string; attempt: number | null; ends: EndSpan },
): Promise<AttemptFacts | null> {
  const [past] = await sql.unsafe(
    `select ${ATTEMPT} from (
       select * from dispatched_job
       where job_id = $1 and ($2::int is null or attempt = $2) and ended_at >= $3 and ended_at < $4
       order by attempt desc limit 1) a ${DECIDED}`,
    [id, attempt, ends.since, ends.until],
    prepared,
  );
  return (past as unknown as AttemptFacts) ?? null;
}

export interface ConnectedRow {
  id: number;
  worker_id: number;
  uid: string;
  name: string;
  org_id: number | null;
  concurrency: number;
  draining: boolean;
  facts: {
    kinds?: ("exec" | "handler")[];
    handlers?: string[];
    system?: string | null;
    features?: string[];
    pool?: string;
    resources?: { ram_mb?: number; cpus?: number };
  };
  metrics: WorkerMetrics | null;
  used: number;
  ram_reserved: number;
  cpus_reserved: number;
}

const CONNECTED = `
select c.id, c.worker_id, w.uid, w.name, c.org_id, c.concurrency, c.draining, c.facts, c.metrics,
  h.used, h.ram_reserved, h.cpus_reserved
from worker_connection c join worker w on w.id = c.worker_id
cross join lateral (
  select count(*)::int as used,
    coalesce(sum((s.requirements->>'ram_mb')::float8), 0) as ram_reserved,
    coalesce(sum((s.requirements->>'cpus')::float8), 0) as cpus_reserved
  from leased_job l join shape s on s.id = l.shape_id where l.holder = c.id) h
where c.ended_at is null and c.dropped_at is null and (c.org_id is null or c.org_id = $1)
order by w.name, c.id limit $2`;

export async function readConnected(sql: Sql, org: number, limit: number): Promise<ConnectedRow[]> {
  const rows = await sql.unsafe(CONNECTED, [org, limit], prepared);
  return rows as unknown as ConnectedRow[];
}

/** The place in its shape's line is counted up to here; beyond, it is "more than". */
const PLACE_MAX = 10_000;

/** How many of its shape stand before it, and in all. 1 is next. */
export async function readPlace(sql: Sql, row: JobFactsRow) {
  const [count] = await sql.unsafe(
    `select (select count(*) from (select 1 from live_job where shape_id = $1 and ready_rank is not null
         and state = 'ready' and (ready_rank, id) < ($2, $3) limit ${PLACE_MAX}) a)::int as ahead,
       (select count(*) from (select 1 from live_job where shape_id = $1 and ready_rank is not null
         and state = 'ready' limit ${PLACE_MAX}) b)::int as shape_ready`,
    [row.shape_id, row.ready_rank, row.id],
    prepared,
  );
  const ahead = count!.ahead as number;
  const total = count!.shape_ready as number;
  return { ahead, place: ahead + 1, shape_ready: total, capped: total >= PLACE_MAX };
}

export async function readHeld(sql: Sql, queue: number): Promise<number> {
  const [row] = await sql.unsafe(
    `select count(*)::int as n from leased_job where queue_id = $1`,
    [queue],
    prepared,
  );
  return row!.n as number;
}

/** Direct dependencies that have not ended well. */
export async function readBlocking(sql: Sql, id: string, limit: number) {
  const rows = await sql.unsafe(
    `select e.dependency_id as id, l.state, l.name_id from edge e
     join live_job l on l.id = e.dependency_id
     where e.dependent_id = $1 and e.satisfied_at is null order by 1 limit $2`,
    [id, limit],
    prepared,
  );
  return rows as unknown as { id: string; state: string; name_id: number }[];
}

export async function readContexts(sql: Sql, ids: string[]) {
  const rows = await sql.unsafe(
    `select id, body from context_snapshot where id = any($1::uuid[])`,
    [plainArray(ids)],
    prepared,
  );
  return new Map(rows.map((r) => [r.id as string, r.body as Record<string, unknown>]));
}

/** Interned names and organizations of jobs, by job id. */
export async function readJobNames(
  sql: Sql,
  ids: string[],
): Promise<Map<string, { name: number; org: number }>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.unsafe(
    `select id, name_id, org_id from job where id = any($1::uuid[])`,
    [plainArray(ids)],
    prepared,
  );
  return new Map(
    rows.map((r) => [r.id as string, { name: r.name_id as number, org: r.org_id as number }]),
  );
}
