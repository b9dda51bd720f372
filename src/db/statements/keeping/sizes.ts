/** What tables take on disk, out of the catalog: no table is read. */
import type { Sql } from "../../client.ts";

export interface RelationSize {
  name: string;
  /** Bytes of rows without what is stored out of line, of that, and of indexes. */
  heap: number;
  toast: number;
  indexes: number;
  total: number;
  /** As vacuum and the statistics know it. */
  rows: number;
}

const SIZES = `
select c.relname as name, s.table_bytes - s.toast as heap, s.toast, s.indexes,
  s.table_bytes + s.indexes as total,
  case when t.n_live_tup > 0 then t.n_live_tup else greatest(c.reltuples, 0) end::float8 as rows
from pg_class c
left join pg_stat_user_tables t on t.relid = c.oid
cross join lateral (
  select coalesce(pg_table_size(c.oid), 0)::float8 as table_bytes,
    coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)::float8 as toast,
    coalesce(pg_indexes_size(c.oid), 0)::float8 as indexes) s
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
order by c.relname`;

/** Of every table and every partition. */
export async function readSizes(sql: Sql): Promise<RelationSize[]> {
  return (await sql.unsafe(SIZES, [], { prepare: true })) as unknown as RelationSize[];
}

export async function readDatabaseSize(sql: Sql): Promise<number> {
  const [row] = await sql`select pg_database_size(current_database())::float8 as bytes`;
  return row!.bytes as number;
}
