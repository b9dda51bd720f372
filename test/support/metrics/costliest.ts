/** The costliest attempts, straight from the attempts; and what made-up histories leave out of them. */
import type postgres from "postgres";

/** What each measure of a ranking is, of one attempt. */
export const COST: Readonly<Record<string, string>> = {
  longest: "d.run_ms",
  ram: "d.peak_ram_mb",
  cpu: "d.cpu_ms",
  disk: "coalesce(d.disk_read_bytes, 0) + coalesce(d.disk_write_bytes, 0)",
  network: "d.network_mbps",
};

export interface Costly {
  job: string;
  attempt: number;
  name: string;
  queue: string;
  org: string;
  worker: { id: string; name: string } | null;
  value: number;
  ended_at: string;
}

/** Of attempts that ended on these days of UTC, both included; `where` in words of d, n, q and o. */
export async function costliest(
  sql: postgres.Sql,
  measure: string,
  { orgs, from, to, where = "true" }: { orgs: number[]; from: string; to: string; where?: string },
): Promise<Costly[]> {
  const rows = await sql.unsafe(
    `select d.job_id as job, d.attempt, n.name, q.name as queue, o.name as org, w.uid, w.name as worker,
       (${COST[measure]})::float8 as value, d.ended_at
     from dispatched_job d join job_name n on n.id = d.name_id join queue q on q.id = d.queue_id
       join org o on o.id = d.org_id left join worker w on w.id = d.worker_id
     where d.org_id = any($1) and ${COST[measure]} > 0 and ${where}
       and to_char(d.ended_at at time zone 'UTC', 'YYYY-MM-DD') between $2 and $3
     order by value desc, d.job_id, d.attempt limit 20`,
    [orgs, from, to] as never[],
  );
  return rows.map(({ uid, worker, ended_at, ...own }) => ({
    ...(own as unknown as Costly),
    worker: uid === null ? null : { id: uid, name: worker },
    ended_at: ended_at.toISOString(),
  }));
}

/** Two of the workers that made-up attempts ran on, and the network of their hosts meanwhile. */
export async function tellWhere(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into worker (id, uid, name, pool) overriding system value
    values (11, gen_random_uuid(), 'eleven', 'default'), (12, gen_random_uuid(), 'twelve', 'default')`;
  await sql`update dispatched_job set network_mbps = 1 + mod(run_ms::numeric, 997)`;
}
