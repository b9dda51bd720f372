/**
 * The window's reads: ready jobs per shape by keyset, and which shapes have any (engine rule 21).
 * Pure reads. `replicas`/`mine`: while several replicas live, each peeks the ids whose hash is its.
 */
import { readyAtOf } from "../../core/rank.ts";
import { numbers, words } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { rowSource } from "../row_source.ts";
import type { ReadyRow } from "./ready_rows.ts";

export interface PeekLine {
  shape: number;
  afterRank: number;
  afterId: string;
  limit: number;
}

const asked = rowSource<PeekLine>("s", [
  ["shape", "int", (l) => l.shape],
  ["rank", "float8", (l) => l.afterRank],
  ["id", "uuid", (l) => l.afterId],
  ["n", "int", (l) => l.limit],
]);

/**
 * One row a line, of columns: a driver spends more on a thousand rows than on eight lists. What nearly
 * no job has stands in `more`.
 */
const PEEK = `
select s.shape, r.* from ${asked.sql}
cross join lateral (
  select min(org_id) as org, min(queue_id) as queue, array_agg(id)::text as ids,
    array_agg(name_id)::text as names, array_agg(priority)::text as priorities,
    array_agg(ready_rank)::text as ranks, array_agg(dependents)::text as dependents,
    json_object_agg(id, json_build_array(input_workers, rejected_by))
      filter (where input_workers is not null or rejected_by is not null) as more
  from (select id, org_id, queue_id, name_id, priority, ready_rank, dependents, input_workers, rejected_by
    from live_job l
    where l.shape_id = s.shape and l.ready_rank is not null and l.state = 'ready'
      and (l.ready_rank, l.id) > (s.rank, s.id)
      and ($5::int = 1 or (uuid_hash(l.id) & 65535) % $5::int = $6::int)
    order by l.ready_rank, l.id limit s.n) l
  having count(*) > 0) r`;

interface PeekedLine {
  shape: number;
  org: number;
  queue: number;
  ids: string;
  names: string;
  priorities: string;
  ranks: string;
  dependents: string;
  more: Record<string, [inputWorkers: number[] | null, rejectedBy: number[] | null]> | null;
}

export async function peekReady(
  sql: Sql,
  lines: PeekLine[],
  share: { replicas: number; mine: number },
): Promise<ReadyRow[]> {
  if (lines.length === 0) return [];
  const rows = await sql.unsafe<PeekedLine[]>(
    PEEK,
    [...asked.params(lines), share.replicas, share.mine],
    { prepare: true },
  );
  return rows.flatMap(readyRows);
}

function readyRows(line: PeekedLine): ReadyRow[] {
  const names = numbers(line.names);
  const priorities = numbers(line.priorities);
  const ranks = numbers(line.ranks);
  const dependents = numbers(line.dependents);
  return words(line.ids).map((id, at) => {
    const priority = priorities[at]!;
    const rank = ranks[at]!;
    const [inputWorkers, rejectedBy] = line.more?.[id] ?? NOTHING;
    return {
      id,
      shape_id: line.shape,
      org_id: line.org,
      queue_id: line.queue,
      name_id: names[at]!,
      state: "ready",
      priority,
      ready_rank: rank,
      ready_s: readyAtOf(rank, priority) / 1000,
      dependents: dependents[at]!,
      input_workers: inputWorkers,
      rejected_by: rejectedBy,
    };
  });
}

const NOTHING = [null, null] as const;

/** Shapes with ready jobs, by skipping through the index: one probe a shape, not a row. */
const SHAPES = `
with recursive step as (
  (select shape_id, id from live_job where ready_rank is not null and state = 'ready'
   order by shape_id, ready_rank, id limit 1)
  union all
  select next.* from step cross join lateral (
    select l.shape_id, l.id from live_job l
    where l.ready_rank is not null and l.state = 'ready' and l.shape_id > step.shape_id
    order by l.shape_id, l.ready_rank, l.id limit 1) next)
select array_agg(shape_id)::text as shapes, array_agg(id)::text as heads from step`;

/** Each with its first job. */
export async function readyShapes(sql: Sql): Promise<Map<number, string>> {
  const [row] = await sql.unsafe(SHAPES, [], { prepare: true });
  const heads = words(row?.heads);
  return new Map(numbers(row?.shapes).map((shape, at) => [shape, heads[at]!]));
}
