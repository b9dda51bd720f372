/**
 * What must hold of a database, whatever happened before. Plain SQL, independent of the engine:
 * nothing here is shared with what it checks but the statechart itself.
 */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { FINAL_STATES, JOB_STATES } from "../../src/core/job_state.ts";
import { JOB_TABLE } from "../../src/core/job_table.ts";

/** One sentence and the query of its violations: no row means that it holds. */
interface Oracle {
  claim: string;
  violations: string;
  /** True only once everything has settled; the others hold in every snapshot. */
  quiet?: true;
}

const list = (words: readonly string[]) => words.map((w) => `'${w}'`).join(", ");
const FINAL = list(FINAL_STATES);
const LEASED = list(["dispatched", "running"]);

/** Every step of the statechart, as `(from, to)`. */
const STEPS = JOB_STATES.flatMap((from) =>
  [...new Set(Object.values(JOB_TABLE[from]))].map((to) => `('${from}', '${to}')`),
).join(", ");

/** A job's events in the order in which they were written: the row lock makes that its history. */
const CHAIN = `
  select *, lag(state) over history as before, row_number() over history as place,
    count(*) over (partition by job_id) as places
  from phase_event window history as (partition by job_id order by id)`;

const HISTORY: Oracle[] = [
  {
    claim: "each event starts in the state that the event before it led to",
    violations: `select job_id, place, before, from_state, state from (${CHAIN}) c
      where from_state is distinct from coalesce(before, 'created')`,
  },
  {
    claim: "each event is a step of the statechart, or asks for a cancel",
    violations: `select job_id, from_state, state, reason from phase_event
      where (from_state::text, state::text) not in (${STEPS})
        and not (from_state = state and state in (${LEASED}) and reason in ('cancel_requested', 'free_requested'))`,
  },
  {
    claim: "the last event of a job led to the state that it is in",
    violations: `select c.job_id, c.state, l.state as live, e.state as ended from (${CHAIN}) c
      left join live_job l on l.id = c.job_id left join job_end e on e.job_id = c.job_id
      where place = places and c.state is distinct from coalesce(l.state, e.state)`,
  },
  {
    claim: "every job has events, and every event a job",
    violations: `select j.id, p.job_id from job j
      full join (select distinct job_id from phase_event) p on p.job_id = j.id
      where j.id is null or p.job_id is null`,
  },
  {
    // A cancel may be asked between a start and the beat that writes it.
    claim: "the times of a job's phases never run backwards",
    violations: `select job_id, place, at, earlier from (
      select *, lag(at) over (partition by job_id order by place) as earlier from (${CHAIN}) c
      where from_state is distinct from state or waiting_for is not null) t
      where at < earlier`,
  },
];

const HOMES: Oracle[] = [
  {
    claim: "every job is either live or ended, once",
    violations: `select j.id, count(l.id) as live, count(e.job_id) as ended from job j
      left join live_job l on l.id = j.id left join job_end e on e.job_id = j.id
      group by j.id having count(l.id) + count(e.job_id) <> 1`,
  },
  {
    claim: "nothing is live or ended that was never submitted",
    violations: `select id from live_job where id not in (select id from job)
      union all select job_id from job_end where job_id not in (select id from job)`,
  },
  {
    claim: "a live job is in no final state, an ended one in a final state",
    violations: `select id, state from live_job where state in (${FINAL}) or state = 'created'
      union all select job_id, state from job_end where state not in (${FINAL})`,
  },
  {
    claim: "a job has as many final events as ends, less those that a retry took back",
    violations: `select job_id, count(*) filter (where state in (${FINAL})) as finals,
        count(*) filter (where from_state in (${FINAL})) as revivals from phase_event group by job_id
      having count(*) filter (where state in (${FINAL})) - count(*) filter (where from_state in (${FINAL}))
        <> (select count(*) from job_end e where e.job_id = phase_event.job_id)`,
  },
  {
    claim: "a rank is held by ready jobs, and by leased ones until their start is written",
    violations: `select id, state, ready_rank from live_job
      where (ready_rank is not null) <> (state in ('ready', 'dispatched'))`,
  },
  {
    claim: "exactly queued jobs wait for something, and for a time only run_at and backoff do",
    violations: `select id, state, waiting_for, due_at from live_job
      where (waiting_for is not null) <> (state = 'queued')
        or (due_at is not null) <> coalesce(waiting_for in ('run_at', 'backoff'), false)`,
  },
  {
    claim: "what was asked to be cancelled is held by a worker",
    violations: `select id, state, cancel_requested_at from live_job
      where cancel_requested_at is not null and state not in (${LEASED})`,
  },
];

const LEASES: Oracle[] = [
  {
    claim: "a lease stands exactly where a job is dispatched or running",
    violations: `select id, state, session_id, worker_id, token, dispatched_at from live_job
      where (state in (${LEASED})) <> (session_id is not null)
        or (state in (${LEASED})) <> (token is not null)
        or (state in (${LEASED})) <> (worker_id is not null)
        or (state in (${LEASED})) <> (dispatched_at is not null)
        or (state = 'running') <> (started_at is not null)`,
  },
  {
    claim: "every lease is found by its session, once",
    violations: `select coalesce(l.id, b.id) as id, l.session_id, b.n from live_job l
      full join (select id, holder, count(*) as n from leased_job group by 1, 2) b
        on b.id = l.id and b.holder = l.session_id
      where (l.session_id is not null or b.id is not null) and b.n is distinct from 1`,
  },
  {
    claim: "a lease belongs to a session that is open, of the worker that it names",
    violations: `select l.id, l.session_id, c.ended_at, c.end_reason from live_job l
      left join worker_connection c on c.id = l.session_id
      where l.session_id is not null and (c.id is null or c.ended_at is not null
        or c.worker_id <> l.worker_id)`,
  },
  {
    claim: "no token is used twice",
    violations: `select token, count(*) from (select token from live_job where token is not null
      union all select token from dispatched_job) t group by token having count(*) > 1`,
  },
  {
    claim: "every dispatch has one attempt row, or is the attempt that lives",
    violations: `select coalesce(p.job_id, d.job_id) as job, coalesce(p.attempt, d.attempt) as attempt,
        p.n as dispatches, d.n as rows
      from (select job_id, attempt, count(*) as n from phase_event where state = 'dispatched'
            and from_state = 'ready' group by 1, 2) p
      full join (select job_id, attempt, count(*) as n from (
          select job_id, attempt from dispatched_job
          union all select id, attempt from live_job where session_id is not null) a group by 1, 2) d
        on d.job_id = p.job_id and d.attempt = p.attempt
      where p.n is distinct from 1 or d.n is distinct from 1`,
  },
  {
    claim: "attempts are numbered without a gap, and the job knows the last number",
    violations: `select j.id, j.attempt, count(p.attempt) as dispatches, max(p.attempt) as last
      from (select id, attempt from live_job union all select job_id, attempt from job_end) j
      left join phase_event p on p.job_id = j.id and p.state = 'dispatched' and p.from_state = 'ready'
      group by 1, 2 having count(p.attempt) <> j.attempt or coalesce(max(p.attempt), 0) <> j.attempt`,
  },
  {
    claim: "the event that ended an attempt says what its row says",
    violations: `select d.job_id, d.attempt, d.outcome, d.state_after, d.reason,
        p.outcome as told, p.state, p.reason as why
      from dispatched_job d left join phase_event p on p.job_id = d.job_id and p.attempt = d.attempt
        and p.from_state in (${LEASED}) and p.state not in (${LEASED})
      where p.outcome is distinct from d.outcome or p.state is distinct from d.state_after
        or p.reason is distinct from d.reason or p.worker_id is distinct from d.worker_id`,
  },
  {
    claim: "an attempt that ran has a start, and so has its history",
    violations: `select d.job_id, d.attempt, d.started_at, d.run_ms, count(p.job_id) as starts
      from dispatched_job d left join phase_event p on p.job_id = d.job_id and p.attempt = d.attempt
        and p.state = 'running' and p.from_state = 'dispatched'
      group by 1, 2, 3, 4
      having count(p.job_id) <> (case when d.started_at is null then 0 else 1 end)
        or (d.run_ms is not null and d.started_at is null)`,
  },
  {
    claim: "every dispatch kept its score, its terms and its three contexts",
    violations: `select job, attempt from (
        select job_id as job, attempt, score, beat, beat_place from dispatched_job
        union all
        select id, attempt, score, beat, beat_place from live_job where session_id is not null) l
      left join decided_job a using (beat, beat_place)
      where score is null or cardinality(terms) = 0 or terms is null or rules_version is null
        or job_id <> job or cardinality(candidates) <> cardinality(candidate_scores)
        or (select count(*) from context_snapshot c
            where c.id in (a.worker_context, a.job_context, a.instance_context)) <> 3`,
  },
];

/** Both halves of what is counted, in one snapshot. */
const COUNTED = `
  select org_id, queue_id, name_id, workflow_id, state, sum(n) as n from (
    select org_id, queue_id, name_id, workflow_id, state, n from counter
    union all select org_id, queue_id, name_id, workflow_id, state, n from counter_delta) c
  group by 1, 2, 3, 4, 5 having sum(n) <> 0`;
const NIL = "'00000000-0000-0000-0000-000000000000'::uuid";
const MEMBERS = `
  select distinct w.org_id, m.workflow_id, m.job_id, coalesce(l.state, e.state) as state
  from workflow_job m join workflow w on w.id = m.workflow_id
  left join live_job l on l.id = m.job_id left join job_end e on e.job_id = m.job_id`;

const COUNTERS: Oracle[] = [
  {
    claim: "counters equal the rows that they count",
    violations: `select * from (
      select coalesce(c.org_id, r.org_id) as org, coalesce(c.queue_id, r.queue_id) as queue,
        coalesce(c.name_id, r.name_id) as name, coalesce(c.workflow_id, r.workflow_id) as workflow,
        coalesce(c.state, r.state) as state, c.n as counted, r.n as rows
      from (${COUNTED}) c full join (
        select org_id, queue_id, 0 as name_id, ${NIL} as workflow_id, state, count(*) as n
        from live_job group by 1, 2, 5
        union all
        select l.org_id, 0, case when n.counted then n.id else 0 end, ${NIL}, state, count(*)
        from live_job l join job_name n on n.id = l.name_id group by 1, 3, 5
        union all
        select org_id, 0, 0, workflow_id, state, count(*) from (${MEMBERS}) m group by 1, 4, 5) r
      on (c.org_id, c.queue_id, c.name_id, c.workflow_id, c.state)
        = (r.org_id, r.queue_id, r.name_id, r.workflow_id, r.state)) x
      where counted is distinct from rows`,
  },
];

/** Never decreasing, where known. */
function ordered(table: string, columns: string[], where = "true"): string {
  const pairs = columns.flatMap((later, at) =>
    columns.slice(0, at).map((earlier) => `${later} < ${earlier}`),
  );
  return `select * from ${table} where (${where}) and (${pairs.join(" or ")})`;
}

const TIMES: Oracle[] = [
  {
    claim: "the times of a live job are in order",
    violations: ordered(
      "live_job l join (select id as job, created_at from job) j on j.job = l.id",
      ["created_at", "queued_at", "eligible_at", "ready_at", "dispatched_at", "started_at"],
    ),
  },
  {
    claim: "the times of every attempt are in order",
    violations: ordered("dispatched_job", [
      "queued_at",
      "eligible_at",
      "ready_at",
      "dispatched_at",
      "started_at",
      "ended_at",
    ]),
  },
  {
    claim: "the times of an ended job are in order",
    violations: ordered(
      "job_end e join (select id as job, created_at from job) j on j.job = e.job_id",
      ["created_at", "queued_at", "eligible_at", "ready_at", "finished_at"],
    ),
  },
  {
    claim: "a job that ended by an attempt ended when that attempt did",
    violations: `select e.job_id, e.attempt, e.finished_at from job_end e
      where e.worker_id is not null and not exists (select from dispatched_job d
        where d.job_id = e.job_id and d.attempt = e.attempt and d.ended_at = e.finished_at
          and d.worker_id = e.worker_id and d.state_after = e.state)`,
  },
  {
    claim: "no job was dispatched before its run_at",
    violations: `select j.id, j.run_at, d.dispatched_at from job j join dispatched_job d on d.job_id = j.id
      where d.dispatched_at < j.run_at`,
  },
];

const DEPENDENCIES: Oracle[] = [
  {
    claim: "an edge is satisfied exactly when its dependency ended well, at that moment",
    violations: `select g.dependency_id, g.dependent_id, g.satisfied_at, e.state, e.finished_at from edge g
      left join job_end e on e.job_id = g.dependency_id
      where g.satisfied_at is distinct from (case when e.state = 'succeeded' then e.finished_at end)`,
  },
  {
    claim: "a live job counts as many open dependencies as it has unsatisfied edges",
    violations: `select l.id, l.state, l.pending_deps, count(g.dependency_id) as open from live_job l
      left join edge g on g.dependent_id = l.id and g.satisfied_at is null
      group by 1, 2, 3 having count(g.dependency_id) <> l.pending_deps`,
  },
  {
    claim: "a job waits for dependencies exactly as long as one is open",
    violations: `select id, state, waiting_for, pending_deps from live_job
      where (waiting_for = 'dependencies' and pending_deps = 0)
        or (state <> 'queued' and pending_deps > 0)`,
  },
  {
    claim: "no live job depends on one that ended badly",
    violations: `select l.id, l.state, g.dependency_id, e.state as dependency from live_job l
      join edge g on g.dependent_id = l.id join job_end e on e.job_id = g.dependency_id
      where e.state <> 'succeeded'`,
  },
  {
    claim: "a job failed by its dependencies has one that ended badly, or had one",
    violations: `select e.job_id from job_end e where e.state = 'dependency_failed'
      and not exists (select from edge g join job_end b on b.job_id = g.dependency_id
        where g.dependent_id = e.job_id and b.state <> 'succeeded')
      and not exists (select from edge g join phase_event p on p.job_id = g.dependency_id
        where g.dependent_id = e.job_id and p.from_state in ('failed', 'cancelled', 'dependency_failed'))`,
  },
  {
    claim: "no job was dispatched before its dependencies had ended well",
    violations: `select d.job_id, d.attempt, g.dependency_id from dispatched_job d
      join edge g on g.dependent_id = d.job_id
      where g.satisfied_at is null or g.satisfied_at > d.ended_at`,
  },
];

const WORKFLOWS: Oracle[] = [
  {
    claim: "a workflow is finished exactly when it is closed and all of its jobs have ended",
    quiet: true,
    violations: `select w.id, w.state, w.open, w.finished_at, w.cancel_requested_at,
        count(m.job_id) filter (where m.state not in (${FINAL})) as alive
      from workflow w left join (${MEMBERS}) m on m.workflow_id = w.id group by w.id
      having (w.finished_at is not null)
          <> (not w.open and count(m.job_id) filter (where m.state not in (${FINAL})) = 0)
        or (w.finished_at is not null) <> (w.state not in ('open', 'running'))
        or w.open <> (w.state = 'open')`,
  },
  {
    claim: "a finished workflow ended as its worst job did",
    violations: `select w.id, w.state, array_agg(distinct m.state) as jobs from workflow w
      left join (${MEMBERS}) m on m.workflow_id = w.id where w.finished_at is not null group by w.id
      having w.state <> (case
        when count(*) filter (where m.state in ('failed', 'dependency_failed')) > 0 then 'failed'
        when count(*) filter (where m.state = 'cancelled') > 0 or w.cancel_requested_at is not null
          then 'cancelled'
        else 'succeeded' end)::workflow_state`,
  },
];

const LIMITS: Oracle[] = [
  {
    claim: "failures, losses and rejections stay within their bounds",
    violations: `select id, failures, max_attempts, lost, rejections from live_job
      where failures >= max_attempts or lost > 3 or failures < 0`,
  },
  {
    claim: "a dedupe key names a job that exists",
    violations: `select key, job_id from job_key where job_id not in (select id from job)`,
  },
];

const ALL = [
  ...HISTORY,
  ...HOMES,
  ...LEASES,
  ...COUNTERS,
  ...TIMES,
  ...DEPENDENCIES,
  ...WORKFLOWS,
  ...LIMITS,
];

/** Sentences that do not hold, with up to three rows that show it; empty where all is well. */
export async function brokenOracles(
  sql: postgres.Sql,
  { quiet = true }: { quiet?: boolean } = {},
): Promise<string[]> {
  return await sql.begin("isolation level repeatable read read only", async (tx) => {
    const broken: string[] = [];
    for (const { claim, violations, quiet: settled } of ALL) {
      if (settled && !quiet) continue;
      const rows = await tx.unsafe(`select * from (${violations}) violations limit 3`);
      for (const row of rows) broken.push(`not true: ${claim}: ${JSON.stringify(row)}`);
    }
    return broken;
  });
}

export async function assertOracles(
  sql: postgres.Sql,
  context = "",
  options: { quiet?: boolean } = {},
): Promise<void> {
  const broken = await brokenOracles(sql, options);
  assert.deepEqual(broken, [], context);
}
