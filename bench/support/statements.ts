/** `--statements`: what each statement cost the database, by its share of all. */
import type { Cluster } from "./cluster.ts";
import { table } from "./figures.ts";
import { flag } from "./options.ts";

const TOP = 14;

export async function watchStatements(cluster: Cluster, database: string): Promise<void> {
  if (!flag("statements")) return;
  const sql = cluster.admin(database);
  await sql`create extension if not exists pg_stat_statements`;
  await sql`select pg_stat_statements_reset()`;
}

/** `jobs`: what a statement's time is divided by. */
export async function printStatements(
  cluster: Cluster,
  database: string,
  jobs: number,
): Promise<void> {
  if (!flag("statements")) return;
  const rows = await cluster.admin(database)`
    select calls::int, rows::int, total_exec_time as ms, total_plan_time as plan_ms, wal_bytes::float8,
      shared_blks_hit::float8 as hit, left(regexp_replace(query, '\\s+', ' ', 'g'), 70) as text
    from pg_stat_statements where dbid = (select oid from pg_database where datname = ${database})
    order by total_exec_time desc limit ${TOP}`;
  const head = [
    "statement",
    "calls",
    "rows",
    "ms a call",
    "µs a job",
    "WAL B a job",
    "pages a job",
  ];
  const cells = rows.map((r) => [
    r.text,
    String(r.calls),
    String(r.rows),
    (r.ms / r.calls).toFixed(2),
    ((r.ms * 1000) / jobs).toFixed(1),
    (r.wal_bytes / jobs).toFixed(0),
    (r.hit / jobs).toFixed(1),
  ]);
  console.log(table(head, cells));
}
