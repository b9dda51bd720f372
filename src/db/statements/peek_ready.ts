/**
 * The window's reads: ready jobs per shape by keyset, and which shapes have any (engine rule 21).
 * Pure reads. `replicas`/`mine`: while several replicas live, each peeks the ids whose hash is its.
 */
import { readyAtOf } from "../../core/rank.ts";
import { numbers, words } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { type Column, rowSource } from "../row_source.ts";
import { NIL_UUID } from "./counters.ts";
import type { ReadyRow } from "./ready_rows.ts";

/** A line that is read behind this key; organization and queue are those of its shape. */
export interface PeekLine {
  shape: number;
  org: number;
  queue: number;
  afterRank: number;
  afterId: string;
  limit: number;
  /** Its queue is being stopped: smaller ids are left out (engine rule 30). */
  stopBelow?: string | null;
}

const COLUMNS: Column<PeekLine>[] = [
  ["shape", "int", (l) => l.shape],
  ["rank", "float8", (l) => l.afterRank],
  ["id", "uuid", (l) => l.afterId],
  ["n", "int", (l) => l.limit],
];
const asked = rowSource<PeekLine>("s", COLUMNS);
/** Another statement: the usual one costs 36 µs a line, and needs no marker. */
const askedStopped = rowSource<PeekLine>("s", [
  ...COLUMNS,
  ["stop", "uuid", (l) => l.stopBelow ?? NIL_UUID],
]);

/**
 * One row of lists for all lines: a row a line took a quarter more, here and in the driver. Lists are
 * texts, which cost half of an array; what nearly no job has stands in `more`.
 */
const peek = (lines: string, last: number, also = "") => `
select string_agg(l.shape_id::text, ',') as shapes, string_agg(l.id::text, ',') as ids,
  string_agg(l.name_id::text, ',') as names, string_agg(l.ready_rank::text, ',') as ranks,
  json_object_agg(l.id, json_build_array(l.priority, l.dependents, l.input_workers, l.rejected_by))
    filter (where l.priority <> 0 or l.dependents <> 0 or l.input_workers is not null
      or l.rejected_by is not null) as more
from ${lines} cross join lateral (
  select id, shape_id, name_id, priority, ready_rank, dependents, input_workers, rejected_by
  from live_job l
  where l.shape_id = s.shape and l.ready_rank is not null and l.state = 'ready'
    and (l.ready_rank, l.id) > (s.rank, s.id) ${also}
    and ($${last + 1}::int = 1 or (uuid_hash(l.id) & 65535) % $${last + 1}::int = $${last + 2}::int)
  order by l.ready_rank, l.id limit s.n) l`;
const PEEK = peek(asked.sql, COLUMNS.length);
const PEEK_STOPPED = peek(askedStopped.sql, COLUMNS.length + 1, "and l.id >= s.stop");

type More = [
  priority: number,
  dependents: number,
  inputWorkers: number[] | null,
  rejectedBy: number[] | null,
];

/** All null where nothing is ready. */
interface Peeked {
  shapes: string | null;
  ids: string;
  names: string;
  ranks: string;
  more: Record<string, More> | null;
}

/** Ready jobs by shape, in the order of their line; nothing of a line that has none. */
export async function peekReady(
  sql: Sql,
  lines: PeekLine[],
  share: { replicas: number; mine: number },
): Promise<Map<number, ReadyRow[]>> {
  const rows = new Map<number, ReadyRow[]>();
  if (lines.length === 0) return rows;
  const isStopped = lines.some((line) => line.stopBelow);
  const [peeked] = await sql.unsafe<Peeked[]>(
    isStopped ? PEEK_STOPPED : PEEK,
    [...(isStopped ? askedStopped : asked).params(lines), share.replicas, share.mine],
    { prepare: true },
  );
  if (!peeked?.shapes) return rows;
  const byShape = new Map(lines.map((line) => [line.shape, line]));
  const ids = peeked.ids.split(",");
  const names = peeked.names.split(",");
  const ranks = peeked.ranks.split(",");
  for (const [at, text] of peeked.shapes.split(",").entries()) {
    const line = byShape.get(Number(text))!;
    const id = ids[at]!;
    const facts = { id, name: Number(names[at]), rank: Number(ranks[at]) };
    const row = readyRow(line, facts, peeked.more?.[id] ?? NOTHING);
    const known = rows.get(line.shape);
    if (known) known.push(row);
    else rows.set(line.shape, [row]);
  }
  return rows;
}

function readyRow(
  { shape, org, queue }: PeekLine,
  { id, name, rank }: { id: string; name: number; rank: number },
  [priority, dependents, input_workers, rejected_by]: More,
): ReadyRow {
  return {
    id,
    shape_id: shape,
    org_id: org,
    queue_id: queue,
    name_id: name,
    state: "ready",
    priority,
    ready_rank: rank,
    ready_s: readyAtOf(rank, priority) / 1000,
    dependents,
    input_workers,
    rejected_by,
  };
}

const NOTHING: More = [0, 0, null, null];

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
