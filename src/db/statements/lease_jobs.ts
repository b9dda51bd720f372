/**
 * Leases: gives chosen ready jobs to sessions, in one fenced statement (engine rule 23).
 *
 * Locks, in order: the draining switch and the sessions (shared), their queues (shared), the jobs
 * (`no key update skip locked`, by id). Returns only what was leased; an id that is not returned
 * was paused, stopped, taken, cancelled or locked meanwhile, and is looked at again later.
 */

import { plainArray } from "../arrays.ts";
import type { Transaction } from "../client.ts";
import { rowSource } from "../row_source.ts";
import { counterDeltasOf } from "./counters.ts";

export interface ChosenLease {
  job: string;
  session: number;
  worker: number;
  token: string;
  score: number;
  terms: number[];
  candidates: string[];
  candidateScores: number[];
  considered: number;
  workerContext: string | null;
  jobContext: string | null;
  instanceContext: string | null;
}

export interface LeasedRow {
  id: string;
  session_id: number;
  /** Which of several choices of one job was taken. */
  token: string;
  attempt: number;
  org_id: number;
  queue_id: number;
  name_id: number;
  failures: number;
  lost: number;
  rejections: number;
  max_attempts: number;
  has_inputs: boolean;
  kind: "exec" | "handler";
  payload: unknown;
  timeout_seconds: number | null;
  backoff_base: number;
  backoff_factor: number;
  backoff_max: number;
  priority: number;
}

/** Where a lease's figures stand in the flat arrays that all leases of a beat share; from 1. */
interface Placed extends ChosenLease {
  place: number;
  candidatesFrom: number;
}

const chosen = rowSource<Placed>(
  "t",
  [
    ["id", "uuid", (c) => c.job],
    ["session", "bigint", (c) => c.session],
    ["worker", "int", (c) => c.worker],
    ["token", "uuid", (c) => c.token],
    ["score", "real", (c) => c.score],
    ["place", "int", (c) => c.place],
    ["cand_from", "int", (c) => c.candidatesFrom],
    ["cand_to", "int", (c) => c.candidatesFrom + c.candidates.length - 1],
    ["considered", "int", (c) => c.considered],
    ["worker_ctx", "uuid", (c) => c.workerContext],
    ["job_ctx", "uuid", (c) => c.jobContext],
    ["instance_ctx", "uuid", (c) => c.instanceContext],
  ],
  10,
);

/**
 * Terms and candidates travel as flat arrays and are cut into slices: parsed as a small array of text
 * for each row they cost more than all else that reads the input.
 */
const TERMS = "($5::real[])[(p.place - 1) * $6::int + 1 : p.place * $6::int]";
const slice = (parameter: string) => `(${parameter})[p.cand_from : p.cand_to]`;

const LEASE = `
with beat as (insert into beat (id) values ($1)),
open as materialized (
  select 1 from setting where key = 'draining' and value = 'false'::jsonb for share),
sessions as materialized (
  select id from worker_connection
  where id = any($2::bigint[]) and ended_at is null and dropped_at is null and not draining
  order by id for key share),
queues as materialized (
  select id, stop_below from queue
  where id = any($3::int[]) and paused_at is null and (id = any($9::int[])
    or not exists (select from queue_limit l where l.queue_id = queue.id offset 0))
  order by id for share),
picked as materialized (
  select t.*, l.ready_at
  from ${chosen.sql}
  join live_job l on l.id = any(array[t.id])
  where l.state = 'ready' and not coalesce(t.worker = any(l.rejected_by), false)
    and exists (select from open)
    and t.session = any(array(select id from sessions))
    and exists (select from queues q where q.id = l.queue_id
                and (q.stop_below is null or l.id >= q.stop_below))
  order by t.id for no key update of l skip locked),
leased as (
  update live_job l set state = 'dispatched', ready_rank = null, attempt = l.attempt + 1,
    dispatched_at = greatest(l.ready_at, now()), session_id = p.session, worker_id = p.worker,
    token = p.token, score = p.score, rules_version = $4, terms = ${TERMS},
    candidates = ${slice("$7::uuid[]")}, candidate_scores = ${slice("$8::real[]")},
    considered = p.considered, worker_context = p.worker_ctx, job_context = p.job_ctx,
    instance_context = p.instance_ctx, started_at = null, deadline_at = null, progress = null,
    progress_note = null, cancel_acknowledged_at = null
  from picked p where l.id = any(array[p.id])
  returning l.id, l.org_id, l.queue_id, l.name_id, l.counted_name, l.attempt, l.failures, l.lost,
    l.rejections, l.has_inputs, l.has_workflow, l.dispatched_at, l.session_id, l.worker_id, l.token,
    'ready'::job_state as was, 'dispatched'::job_state as now_is),
events as (
  insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state, worker_id)
  select dispatched_at, org_id, queue_id, name_id, id, attempt, was, now_is, worker_id from leased),
deltas as (${counterDeltasOf("leased")})
select l.id, l.session_id, l.token, l.attempt, l.org_id, l.queue_id, l.name_id, l.failures, l.lost, l.rejections,
  l.has_inputs, j.max_attempts, j.kind, j.payload, j.timeout_seconds, j.backoff_base,
  j.backoff_factor, j.backoff_max, j.priority
from leased l join job j on j.id = any(array[l.id])`;

export async function leaseJobs(
  tx: Transaction,
  input: {
    beat: string;
    queues: number[];
    /** Queues whose limits the caller has locked and kept; another limited one gives nothing. */
    limited: number[];
    rulesVersion: number;
    leases: ChosenLease[];
  },
): Promise<LeasedRow[]> {
  const sessions = [...new Set(input.leases.map((c) => c.session))];
  let from = 1;
  const leases = input.leases.map((lease, at): Placed => {
    const placed = { ...lease, place: at + 1, candidatesFrom: from };
    from += lease.candidates.length;
    return placed;
  });
  const rows = await tx.unsafe(
    LEASE,
    [
      input.beat,
      `{${sessions.join(",")}}`,
      `{${input.queues.join(",")}}`,
      input.rulesVersion,
      plainArray(leases.flatMap((l) => l.terms)),
      leases[0]?.terms.length ?? 0,
      plainArray(leases.flatMap((l) => l.candidates)),
      plainArray(leases.flatMap((l) => l.candidateScores)),
      plainArray(input.limited),
      ...chosen.params(leases),
    ],
    { prepare: true },
  );
  return rows as unknown as LeasedRow[];
}
