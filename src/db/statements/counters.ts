/**
 * Counter deltas (engine rule 11): signed rows, one per key and transaction, so that writers never
 * meet on a counter row; `foldCounters` sums them into `counter`.
 */
import type { JobState } from "../../core/job_state.ts";
import type { Sql, Transaction } from "../client.ts";
import { rowSource } from "../row_source.ts";

export const NIL_UUID = "00000000-0000-0000-0000-000000000000";

export interface CounterDelta {
  org: number;
  queue: number;
  name: number;
  workflow: string;
  state: JobState;
  n: number;
}

const rows = rowSource<CounterDelta>("t", [
  ["org", "int", (d) => d.org],
  ["queue", "int", (d) => d.queue],
  ["name", "int", (d) => d.name],
  ["workflow", "uuid", (d) => d.workflow],
  ["state", "job_state", (d) => d.state],
  ["n", "bigint", (d) => d.n],
]);
const INSERT = `
insert into counter_delta (org_id, queue_id, name_id, workflow_id, state, n)
select org, queue, name, workflow, state, n from ${rows.sql}`;

export async function insertCounterDeltas(tx: Transaction, deltas: CounterDelta[]): Promise<void> {
  const changed = deltas.filter((d) => d.n !== 0);
  if (changed.length === 0) return;
  await tx.unsafe(INSERT, rows.params(changed), { prepare: true });
}

/**
 * SQL of a CTE pair that counts moved rows. `source` is a CTE with org_id, queue_id, counted_name,
 * has_workflow, id, was, now_is (job_state; null = counts for nothing on that side).
 * Final states count for workflows only: counts of ended jobs come from rollups.
 */
export function counterDeltasOf(source: string): string {
  const final = "('succeeded', 'failed', 'cancelled', 'dependency_failed')";
  return `
insert into counter_delta (org_id, queue_id, name_id, workflow_id, state, n)
select m.org_id, case k.family when 1 then m.queue_id else 0 end,
  case k.family when 2 then m.counted_name else 0 end, '${NIL_UUID}'::uuid, s.state, sum(m.n * s.sign)
from (select org_id, queue_id, counted_name, was, now_is, count(*) as n from ${source}
      group by 1, 2, 3, 4, 5) m
cross join lateral (values (m.was, -1), (m.now_is, 1)) as s(state, sign)
cross join (values (1), (2)) as k(family)
where s.state is not null and s.state not in ${final}
group by 1, 2, 3, 5 having sum(m.n * s.sign) <> 0
union all
select m.org_id, 0, 0, w.workflow_id, s.state, sum(s.sign)
from ${source} m
cross join lateral (
  select distinct workflow_id from (
    select workflow_id from workflow_job where m.has_workflow and job_id = m.id offset 0) x) w
cross join lateral (values (m.was, -1), (m.now_is, 1)) as s(state, sign)
where m.has_workflow and s.state is not null
group by 1, 4, 5 having sum(s.sign) <> 0`;
}

/** Adds deltas up in memory before they are written: submissions know exactly what they insert. */
export class DeltaSum {
  readonly #sums = new Map<string, CounterDelta>();

  add(delta: CounterDelta): void {
    const key = `${delta.org}/${delta.queue}/${delta.name}/${delta.workflow}/${delta.state}`;
    const sum = this.#sums.get(key);
    if (sum) sum.n += delta.n;
    else this.#sums.set(key, { ...delta });
  }

  /** One job in `state`: its queue and its name. */
  addJob(job: { org: number; queue: number; countedName: number }, state: JobState, n = 1): void {
    const { org, queue, countedName } = job;
    this.add({ org, queue, name: 0, workflow: NIL_UUID, state, n });
    this.add({ org, queue: 0, name: countedName, workflow: NIL_UUID, state, n });
  }

  values(): CounterDelta[] {
    return [...this.#sums.values()];
  }
}

/** At most this many delta rows a fold, so that a fold stays far below the statement timeout. */
const FOLD_MAX = 50_000;

const FOLD = `
with mine as (select pg_try_advisory_xact_lock(4600, 1) as ok),
gone as (
  delete from counter_delta where id in (
    select id from counter_delta where (select ok from mine) order by id limit ${FOLD_MAX})
  returning org_id, queue_id, name_id, workflow_id, state, n),
sums as (
  select org_id, queue_id, name_id, workflow_id, state, sum(n)::bigint as n from gone
  group by 1, 2, 3, 4, 5 having sum(n) <> 0),
folded as (
  insert into counter (org_id, queue_id, name_id, workflow_id, state, n)
  select * from sums order by 1, 2, 3, 4, 5
  on conflict (org_id, queue_id, name_id, workflow_id, state) do update set n = counter.n + excluded.n)
select count(*)::int as n from gone`;

/** Folds what is visible; one folder at a time, others answer 0. Returns how many rows it took. */
export async function foldCounters(sql: Sql): Promise<number> {
  const [row] = await sql.unsafe(FOLD, [], { prepare: true });
  return (row?.n as number) ?? 0;
}
