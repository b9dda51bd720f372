/**
 * Leases: gives chosen ready jobs to sessions, in one fenced statement (engine rule 23).
 *
 * Keeps the contexts that its leases name, and what was decided in one row of arrays (`decision`).
 *
 * Locks, in order: the draining switch and the sessions (shared), their queues (shared), the jobs
 * (`no key update skip locked`, by id). Returns only what was leased; an id that is not returned
 * was paused, stopped, taken, cancelled or locked meanwhile, and is looked at again later.
 *
 * A lease names its session and its queue by their places in short lists, because to read a uuid or to
 * look one up for each costs PostgreSQL half a microsecond. See
 * `row_arrays.ts` for the rest. Rows are found again by ctid, which their lock pins: a row that was
 * changed after this statement's snapshot is not leased, and comes again.
 */
import { numbers } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import { byId, Places, placeAmong } from "../row_arrays.ts";
import { encodeColumn } from "../row_source.ts";
import { counterDeltasOf, NIL_UUID } from "./counters.ts";
import { EVENT_IDS, eventId } from "./event_ids.ts";

export interface ChosenLease {
  job: string;
  queue: number;
  session: number;
  worker: number;
  token: string;
  /** Of the worker, from 1. */
  slot: number;
  score: number;
  /** As many in every lease of one call. */
  terms: number[];
  /** Those beyond `CANDIDATES_MAX` are left out. */
  candidates: string[];
  candidateScores: number[];
  considered: number;
  workerContext: string | null;
  jobContext: string | null;
  instanceContext: string | null;
}

export interface LeasedRow {
  /** Place in the leases that were asked for, from 0. */
  at: number;
  attempt: number;
  failures: number;
  lost: number;
  rejections: number;
  max_attempts: number;
  has_inputs: boolean;
  has_dependents: boolean;
}

export const CANDIDATES_MAX = 3;

/** Parameters, in their order; read by place in SQL. */
const P = {
  beat: "$1::uuid",
  sessions: "$2::bigint[]",
  workers: "$3::int[]",
  queues: "$4::int[]",
  rulesVersion: "$5::smallint",
  /** Of the leases, sorted. */
  jobs: "$6::uuid[]",
  /** Candidates that are no lease of this call; their places are told with a minus. */
  others: "$7::uuid[]",
  contexts: "$8::uuid[]",
  session: "$9::int[]",
  queue: "$10::int[]",
  token: "$11::uuid[]",
  score: "$12::real[]",
  terms: "$13::real[]",
  termsEach: "$14::smallint",
  candidates: "$15::smallint[]",
  candidateScores: "$16::real[]",
  considered: "$17::int[]",
  workerContext: "$18::smallint[]",
  jobContext: "$19::smallint[]",
  instanceContext: "$20::smallint[]",
  limited: "$21::int[]",
  contextIds: "$22::uuid[]",
  contextKinds: "$23::text[]",
  contextBodies: "$24::text[]",
  slot: "$25::smallint[]",
};

const PLACE = placeAmong(P.jobs, "live_job.id");

const LEASE = `
with beat as (insert into beat (id) values (${P.beat})),
kept as (
  insert into context_snapshot (id, kind, body)
  select id, kind, body::jsonb
  from unnest(${P.contextIds}, ${P.contextKinds}, ${P.contextBodies}) as t(id, kind, body)
  on conflict (id) do update set used_at = now()
    where context_snapshot.used_at < now() - interval '12 hours'),
open as materialized (
  select 1 from setting where key = 'draining' and value = 'false'::jsonb for share),
sessions as materialized (
  select id from worker_connection
  where id = any(${P.sessions}) and ended_at is null and dropped_at is null and not draining
    and exists (select from open) order by id for key share),
queues as materialized (
  select id, coalesce(stop_below, '${NIL_UUID}') as stop_below from queue
  where id = any(${P.queues}) and paused_at is null and (id = any(${P.limited})
    or not exists (select from queue_limit l where l.queue_id = queue.id offset 0))
  order by id for share),
allowed as materialized (
  select
    (select array_agg(t.id = any(array(select id from sessions)) order by i)
     from unnest(${P.sessions}) with ordinality as t(id, i)) as sessions,
    (select array_agg(coalesce((select stop_below from queues q where q.id = t.id),
       'ffffffff-ffff-ffff-ffff-ffffffffffff') order by i)
     from unnest(${P.queues}) with ordinality as t(id, i)) as stops),
picked as materialized (
  select l.place, l.i from (
    select live_job.ctid as place, live_job.id, live_job.rejected_by, ${PLACE} as i from live_job
    where live_job.id = any(${P.jobs}) and live_job.state = 'ready'
    order by live_job.id for no key update of live_job skip locked) l
  where (select sessions from allowed)[(${P.session})[l.i]]
    and l.id >= (select stops from allowed)[(${P.queue})[l.i]]
    and not coalesce((${P.workers})[(${P.session})[l.i]] = any(l.rejected_by), false)),
leased as (
  update live_job l set state = 'dispatched', attempt = l.attempt + 1,
    dispatched_at = greatest(l.ready_at, now()),
    session_id = (${P.sessions})[(${P.session})[p.i]], worker_id = (${P.workers})[(${P.session})[p.i]],
    token = (${P.token})[p.i], slot = (${P.slot})[p.i], score = (${P.score})[p.i], beat = ${P.beat}, beat_place = p.i,
    started_at = null, deadline_at = null, progress = null, progress_note = null,
    progress_at = null, items_success = null, items_failed = null, items_skipped = null,
    cancel_acknowledged_at = null
  from picked p where l.ctid = p.place
  returning p.i, l.id, l.session_id, l.org_id, l.queue_id, l.name_id, l.attempt, 'ready'::job_state as was,
    'dispatched'::job_state as now_is, l.worker_id, l.counted_name, l.ready_at, l.dispatched_at, l.max_attempts,
    l.has_workflow, l.failures, l.lost, l.rejections, l.has_inputs, l.has_dependents),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state, worker_id,
    since)
  select ${eventId("i")}, dispatched_at, org_id, queue_id, name_id, id, attempt, was, now_is, worker_id,
    ready_at from leased),
decisions as (
  insert into decision (beat, rules_version, terms_each, jobs, terms, candidates, candidate_scores, others,
    considered, contexts, worker_context, job_context, instance_context)
  select ${P.beat}, ${P.rulesVersion}, ${P.termsEach}, ${P.jobs}, ${P.terms}, ${P.candidates},
    ${P.candidateScores}, ${P.others}, ${P.considered}, ${P.contexts}, ${P.workerContext}, ${P.jobContext},
    ${P.instanceContext} where exists (select from leased)),
batches as (
  insert into lease_batch (beat, session_id, jobs, attempts)
  select ${P.beat}, session_id, array_agg(id), array_agg(attempt) from leased group by session_id),
deltas as (${counterDeltasOf("leased")})
select array_agg(i)::text as places, array_agg(attempt)::text as attempts,
  array_agg(max_attempts)::text as max_attempts,
  (array_agg(array[i, failures, lost, rejections]) filter (where failures + lost + rejections > 0))::text
    as tries,
  (array_agg(i) filter (where has_inputs))::text as inputs,
  (array_agg(i) filter (where has_dependents))::text as dependents
from leased`;

export interface LeaseInput {
  beat: string;
  rulesVersion: number;
  /** Queues whose limits the caller has locked and kept; another limited one gives nothing. */
  limited: number[];
  /** Sorted by id. */
  contexts: FreshContext[];
  leases: ChosenLease[];
}

/** A context that leases name and that may not be stored yet. */
export interface FreshContext {
  id: string;
  kind: "worker" | "job" | "instance";
  body: object;
}

/** Alone it is a transaction of its own; `tx` where more belongs to it. */
export async function leaseJobs(tx: Transaction | Sql, input: LeaseInput): Promise<LeasedRow[]> {
  const order = byId(
    input.leases.map((lease, at) => ({ lease, at })),
    (one) => one.lease.job,
  );
  const leases = order.map((one) => one.lease);
  const [row] = await tx.unsafe(LEASE, paramsOf({ ...input, leases }), { prepare: true });
  // An answer of one row: a driver spends more on 400 rows than on the lists in them. And few jobs
  // have failed before, or have inputs or dependents: only these are named.
  const attempts = numbers(row?.attempts);
  const most = numbers(row?.max_attempts);
  const tries = new Map(quadruples(row?.tries).map((four) => [four[0], four]));
  const inputs = new Set(numbers(row?.inputs));
  const dependents = new Set(numbers(row?.dependents));
  return numbers(row?.places).map((place, i) => {
    const [, failures = 0, lost = 0, rejections = 0] = tries.get(place) ?? [];
    return {
      at: order[place - 1]!.at,
      attempt: attempts[i]!,
      failures,
      lost,
      rejections,
      max_attempts: most[i]!,
      has_inputs: inputs.has(place),
      has_dependents: dependents.has(place),
    };
  });
}

/** The rows of `{{1,2,3,4},{5,6,7,8}}`. */
function quadruples(literal: string | null | undefined): number[][] {
  return (literal?.match(/\d+,\d+,\d+,\d+/g) ?? []).map((four) => four.split(",").map(Number));
}

function paramsOf(input: LeaseInput) {
  const { leases } = input;
  const jobs = new Places(leases.map((c) => c.job));
  const others = new Places<string>();
  const sessions = new Places<number>();
  const workers: number[] = [];
  const queues = new Places<number>();
  const contexts = new Places<string>();
  const session = leases.map((c) => {
    const place = sessions.of(c.session);
    workers[place - 1] = c.worker;
    return place;
  });
  const queue = leases.map((c) => queues.of(c.queue));
  const candidates: number[] = [];
  const candidateScores: number[] = [];
  for (const c of leases) {
    for (let n = 0; n < CANDIDATES_MAX; n++) {
      const id = c.candidates[n];
      candidates.push(id === undefined ? 0 : (jobs.get(id) ?? -others.of(id)));
      candidateScores.push(c.candidateScores[n] ?? 0);
    }
  }
  const inContexts = [
    leases.map((c) => contexts.of(c.workerContext)),
    leases.map((c) => contexts.of(c.jobContext)),
    leases.map((c) => contexts.of(c.instanceContext)),
  ];
  const ints = (values: readonly number[]) => encodeColumn("int", values);
  const smallints = (values: readonly number[]) => encodeColumn("smallint", values);
  const reals = (values: readonly number[]) => encodeColumn("real", values);
  const uuids = (values: readonly string[]) => encodeColumn("uuid", values);
  return [
    input.beat,
    encodeColumn("bigint", sessions.values),
    ints(workers),
    ints(queues.values),
    input.rulesVersion,
    uuids(jobs.values),
    uuids(others.values),
    uuids(contexts.values),
    ints(session),
    ints(queue),
    uuids(leases.map((c) => c.token)),
    reals(leases.map((c) => c.score)),
    reals(leases.flatMap((c) => c.terms)),
    leases[0]?.terms.length ?? 0,
    smallints(candidates),
    reals(candidateScores),
    ints(leases.map((c) => c.considered)),
    ...inContexts.map(smallints),
    ints(input.limited),
    uuids(input.contexts.map((c) => c.id)),
    encodeColumn(
      "text",
      input.contexts.map((c) => c.kind),
    ),
    encodeColumn(
      "json",
      input.contexts.map((c) => c.body),
    ),
    smallints(leases.map((c) => c.slot)),
  ];
}
