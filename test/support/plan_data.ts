/**
 * Big tables as a busy installation has them: most jobs ready in one large line and many small ones,
 * some waiting, some held by sessions; the ended ones beside them.
 */
import process from "node:process";
import type postgres from "postgres";

export const SESSIONS = 2_000;
export const SHAPES = 2_000;

const NOW = (Date.now() - 60_000).toString(16).padStart(12, "0");
const PREFIX = `${NOW.slice(0, 8)}-${NOW.slice(8)}-7000`;
const uuid = (variant: string, place: string) =>
  `('${PREFIX}-${variant}-' || lpad(to_hex(${place}), 12, '0'))::uuid`;
const hex = (place: number) => place.toString(16).padStart(12, "0");
/** Ids are UUIDv7 of today, in the order of places. */
export const liveId = (place: number) => `${PREFIX}-8000-${hex(place)}`;
export const oldId = (place: number) => `${PREFIX}-9000-${hex(place)}`;
export const newId = (place: number) => `${PREFIX}-a000-${hex(place)}`;
const ID = (place: string) => uuid("8000", place);
const OLD = (place: string) => uuid("9000", place);
const BEAT = (place: string) => uuid("b000", place);

/** Jobs by place: ready, then waiting for a dependency, then deferred, then held by sessions. */
export class PlanData {
  readonly rows: number;
  readonly ready: number;
  readonly waiting: number;
  readonly deferred: number;
  readonly held: number;
  readonly history: number;

  constructor(rows: number) {
    this.rows = rows;
    this.ready = rows * 0.6;
    this.waiting = rows * 0.3;
    this.deferred = rows * 0.06;
    this.held = rows * 0.04;
    this.history = rows * 0.3;
  }

  get firstHeld(): number {
    return this.rows - this.held;
  }

  async fill(sql: postgres.Sql): Promise<void> {
    await Promise.all(this.#statements().map((text) => sql.unsafe(text)));
  }

  #statements(): string[] {
    return [...small(), ...this.#live(), ...this.#history()];
  }

  #live(): string[] {
    const { rows, ready, waiting, firstHeld } = this;
    return [
      `insert into live_job (id, org_id, queue_id, name_id, counted_name, shape_id, state, waiting_for,
         priority, max_attempts, pending_deps, has_inputs, has_dependents, has_workflow, queued_at,
         eligible_at, ready_at, ready_rank, due_at, dispatched_at, started_at, session_id, worker_id,
         token, attempt)
       select ${ID("i")}, 1, 1, 1 + i % 1000, 1 + i % 1000,
         case when i < ${ready / 2} then 1 else 1 + i % ${SHAPES} end, k.state::job_state,
         k.waiting::waiting_for, 0, 3, case when k.waiting = 'dependencies' then 1 else 0 end,
         coalesce(k.waiting = 'dependencies', false), i < ${waiting}, i % 5 = 0, now(), now(), now(),
         case when k.state = 'ready' then extract(epoch from now()) - i / 1000.0 end,
         case when k.waiting = 'run_at' then now() + interval '1 day' end,
         case when k.session is not null then now() end, case when k.state = 'running' then now() end,
         k.session, k.session, case when k.session is not null then ${ID("i")} end,
         case when k.session is not null then 1 else 0 end
       from ${series(rows)} cross join lateral (select
         case when i < ${ready} then 'ready' when i < ${firstHeld} then 'queued'
           when i % 2 = 0 then 'dispatched' else 'running' end as state,
         case when i >= ${firstHeld} then 1 + i % ${SESSIONS} end as session,
         case when i >= ${ready} and i < ${ready + waiting} then 'dependencies'
           when i >= ${ready + waiting} and i < ${firstHeld} then 'run_at' end as waiting) k`,
      `insert into lease_batch (beat, session_id, jobs, attempts)
       select gen_random_uuid(), 1 + i % ${SESSIONS}, array_agg(${ID("i")}), array_agg(1)
       from ${series(rows)} where i >= ${firstHeld} group by 2`,
      `insert into job (${JOB_COLUMNS}) select ${ID("i")}, 1 + i % 1000, 1 + i % ${SHAPES},
         ${JOB_REST} from ${series(rows)}`,
      `insert into edge (dependency_id, dependent_id)
       select ${ID("i")}, ${ID(`${ready} + i`)} from ${series(waiting)}`,
      `insert into workflow (id, org_id, name, state, created_at)
       select ${ID("i * 100")}, 1, 'w', 'running', now() from ${series(2_000)}`,
      `insert into workflow_job (workflow_id, key, job_id)
       select ${ID("i / 100 * 100")}, 'k' || i, ${ID("i * 5")} from ${series(rows / 5)}`,
      `insert into job_key (org_id, key, job_id)
       select 1, 'key-' || i, ${ID("i")} from ${series(rows / 5)}`,
      `insert into counter (org_id, queue_id, name_id, workflow_id, state, n)
       select 1, 0, 0, ${ID("i * 100")}, 'ready', 100 from ${series(2_000)}`,
    ];
  }

  #history(): string[] {
    const { rows, waiting, history } = this;
    return [
      `insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
         queued_at)
       select ${OLD("i")}, now(), 1, 1, 1 + i % 1000, case when i % 10 = 0 then 'failed'
         when i % 10 = 1 then 'dependency_failed' else 'succeeded' end::job_state, 1, 0, now()
       from ${series(rows)}`,
      `insert into edge (dependency_id, dependent_id, satisfied_at)
       select ${OLD("i")}, ${OLD("i + 1")}, case when i % 10 > 1 then now() end
       from ${series(rows - waiting)}`,
      `insert into job (${JOB_COLUMNS}) select ${OLD("i")}, 1 + i % 1000, 1, ${JOB_REST}
       from ${series(10_000)}`,
      `insert into decision (beat, rules_version, terms_each, jobs, terms, candidates, candidate_scores,
         others, considered, contexts, worker_context, job_context, instance_context)
       select ${BEAT("i")}, 1, 1, array_fill(${OLD("i")}, '{100}'), array_fill(1, '{100}'),
         array_fill(0, '{300}'), array_fill(0, '{300}'), '{}', array_fill(8, '{100}'), '{}',
         array_fill(0, '{100}'), array_fill(0, '{100}'), array_fill(0, '{100}')
       from ${series(history / 100)}`,
      `insert into dispatched_job (job_id, attempt, org_id, queue_id, name_id, worker_id, session_id,
         token, outcome, state_after, queued_at, ready_at, dispatched_at, ended_at, beat, beat_place)
       select ${OLD("i")}, 1, 1, 1, 1 + i % 1000, 1, 1, ${OLD("i")}, 'succeeded', 'succeeded', now(),
         now(), now(), now(), ${BEAT("i / 100")}, 1 + i % 100 from ${series(history)}`,
      `insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
       select now(), 1, 1, 1, ${OLD("i")}, 0, 'created', 'queued' from ${series(history)}`,
    ];
  }
}

const JOB_COLUMNS = `id, name_id, shape_id, org_id, queue_id, kind, priority, max_attempts, backoff_base,
  backoff_factor, backoff_max, created_at`;
const JOB_REST = "1, 1, 'exec', 0, 3, 10, 2, 3600, now()";
const series = (n: number) => `generate_series(0, ${n - 1}) as i`;

function small(): string[] {
  return [
    `insert into setting (key, value) values ('draining', 'false')`,
    `insert into queue_limit (queue_id, concurrency) values (1, 100)`,
    `insert into worker (uid, name, pool)
     select gen_random_uuid(), 'w' || i, 'default' from ${series(SESSIONS)}`,
    `insert into worker_connection (worker_id, replica_id, lease_until, concurrency, facts)
     select i + 1, gen_random_uuid(), now() + interval '1 hour', 40, '{}' from ${series(SESSIONS)}`,
    `insert into job_name (org_id, name) select 1, 'n' || i from ${series(1_000)}`,
    `insert into shape (hash, org_id, queue_id, kind, name_id, requirements)
     select gen_random_uuid(), 1, 1, 'exec', null, '{}' from ${series(SHAPES)}`,
  ];
}

/** Whoever reads one of these whole reads a million rows. */
export const BIG = [
  "job",
  "live_job",
  "edge",
  "job_end",
  "dispatched_job",
  "phase_event",
  "decision",
  "workflow_job",
  "job_key",
];

/** No vacuum and no statistics by itself: what was planned on the empty tables stays. */
export async function freeze(sql: postgres.Sql): Promise<void> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r'`;
  for (const { name } of tables) {
    await sql.unsafe(`alter table ${name} set (autovacuum_enabled = false)`);
  }
}

/** Statistics and visibility, as autovacuum makes them sooner or later. */
export async function vacuum(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`vacuum analyze ${BIG.join(", ")}, worker_connection, workflow, counter`);
}

/** BRIN ranges, as the indexes ask autovacuum to do by themselves; no statistics. */
export async function summarize(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`select brin_summarize_new_values(i.indexrelid)
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
    where a.amname = 'brin' and c.relkind = 'i'`);
}

export const PLAN_ROWS = Number(process.env.TEST_PLAN_ROWS ?? 1_000_000);
