/**
 * The window's reads: ready jobs per shape by keyset, and which shapes have any (engine rule 21).
 * Pure reads. `replicas`/`mine`: while several replicas live, each peeks the ids whose hash is its.
 */
import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { READY_COLUMNS, type ReadyRow } from "./ready_rows.ts";

export interface PeekLine {
  shape: number;
  afterRank: number;
  afterId: string;
  limit: number;
}

const PEEK = `
select r.* from unnest($1::int[], $2::float8[], $3::uuid[], $4::int[]) as s(shape, rank, id, n)
cross join lateral (
  select ${READY_COLUMNS} from live_job l
  where l.shape_id = s.shape and l.ready_rank is not null and (l.ready_rank, l.id) > (s.rank, s.id)
    and ($5::int = 1 or (uuid_hash(l.id) & 65535) % $5::int = $6::int)
  order by l.ready_rank, l.id limit s.n) r`;

export async function peekReady(
  sql: Sql,
  lines: PeekLine[],
  share: { replicas: number; mine: number },
): Promise<ReadyRow[]> {
  if (lines.length === 0) return [];
  const rows = await sql.unsafe(
    PEEK,
    [
      plainArray(lines.map((l) => l.shape)),
      plainArray(lines.map((l) => (l.afterRank === -Infinity ? "-Infinity" : l.afterRank))),
      plainArray(lines.map((l) => l.afterId)),
      plainArray(lines.map((l) => l.limit)),
      share.replicas,
      share.mine,
    ],
    { prepare: true },
  );
  return rows as unknown as ReadyRow[];
}

/** Distinct shapes with ready jobs, by skipping through the index: one probe a shape, not a row. */
const SHAPES = `
with recursive step as (
  (select shape_id from live_job where ready_rank is not null order by shape_id limit 1)
  union all
  select (select l.shape_id from live_job l where l.ready_rank is not null and l.shape_id > step.shape_id
          order by l.shape_id limit 1)
  from step where step.shape_id is not null)
select shape_id from step where shape_id is not null`;

export async function readyShapes(sql: Sql): Promise<number[]> {
  const rows = await sql.unsafe(SHAPES, [], { prepare: true });
  return rows.map((r) => r.shape_id as number);
}
