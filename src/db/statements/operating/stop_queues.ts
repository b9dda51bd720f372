/**
 * Stopping queues (engine rule 30): a marker on their rows, below which nothing is leased, and then what
 * waits below it, chunk by chunk. Locks queues by id, before any job.
 *
 * What waited when the queue was stopped has a smaller id than the marker and was queued before that
 * moment. What ran then, or is retried later, has the same old id and was queued after: it is spared, and
 * leased again once the marker is gone.
 */
import { besideId } from "../../../core/ids.ts";
import type { OrgFilter } from "../../../core/scope.ts";
import { plainArray } from "../../arrays.ts";
import type { Sql, Transaction } from "../../client.ts";
import type { OperationRow } from "../operations.ts";

const prepared = { prepare: true };

/** What an operation that stops queues keeps in its `filter`. */
export interface Stop {
  /** Of queues that were named, as a search. */
  q?: string;
  /** Its organization's name; null: of several. */
  org: string | null;
  /** Every queue was meant, of the organization or of all. */
  all: boolean;
  queue_ids: number[];
  /** Of those where something waited the first, for people; with their organization where there are several. */
  queues: string[];
  /** In how many something waited. */
  hit: number;
  /** Jobs with smaller ids, */
  below: string;
  /** queued no later than this; a time as PostgreSQL writes it. */
  at: string;
}

export interface StoppedQueue {
  id: number;
  org: number;
  name: string;
}

export function stopOf(filter: Record<string, unknown>): Stop {
  return filter as unknown as Stop;
}

/** Of these organizations those that are named, or (null) every one. */
export interface WhichQueues {
  orgs: OrgFilter;
  queues: readonly number[] | null;
}

const WHICH = `
select id, org_id as org, name from queue
where ($1::int[] is null or org_id = any($1::int[])) and ($2::int[] is null or id = any($2::int[]))
order by id`;

function whichParams({ orgs, queues }: WhichQueues) {
  const list = (ids: readonly number[]) => plainArray([...ids]);
  return [orgs === "all" ? null : list(orgs), queues === null ? null : list(queues)];
}

export async function findQueues(sql: Sql, which: WhichQueues): Promise<StoppedQueue[]> {
  return (await sql.unsafe(WHICH, whichParams(which), prepared)) as unknown as StoppedQueue[];
}

/** Waits for the leases that are on their way. */
export async function lockQueues(tx: Transaction, which: WhichQueues): Promise<StoppedQueue[]> {
  const rows = await tx.unsafe(`${WHICH} for no key update`, whichParams(which), prepared);
  return rows as unknown as StoppedQueue[];
}

/**
 * Marks the locked queues. `below` is an id of now: where another server's clock is ahead, the marker
 * stands behind the newest job that is there.
 */
export async function markStop(
  tx: Transaction,
  queues: number[],
  below: string,
): Promise<Pick<Stop, "below" | "at">> {
  const [ahead] = await tx.unsafe(
    `select id from live_job where id >= $1 and queue_id = any($2::int[]) order by id desc limit 1`,
    [below, plainArray(queues)],
    prepared,
  );
  const marker = ahead === undefined ? below : besideId(ahead.id as string, 1);
  const [row] = await tx.unsafe(
    `with marked as (
       update queue set stop_below = greatest(stop_below, $1::uuid) where id = any($2::int[]))
     select clock_timestamp()::text as at`,
    [marker, plainArray(queues)],
    prepared,
  );
  return { below: marker, at: row!.at as string };
}

/** What of these queues other operations still stop keeps their marker; the rest is free again. */
export async function liftStop(tx: Transaction, operation: string, queues: number[]) {
  // Locked first: who stops one meanwhile has then written its operation, and it is seen.
  await tx.unsafe(
    `select from queue where id = any($1::int[]) order by id for no key update`,
    [plainArray(queues)],
    prepared,
  );
  await tx.unsafe(
    `with others as materialized (
       select (filter ->> 'below')::uuid as below,
         array(select jsonb_array_elements_text(filter -> 'queue_ids')::int) as queues
       from operation where kind = 'stop_queues' and state = 'running' and id <> $1)
     update queue q set stop_below = (
       select o.below from others o where q.id = any(o.queues) order by o.below desc limit 1)
     where q.id = any($2::int[])`,
    [operation, plainArray(queues)],
    prepared,
  );
}

/** Rows that one step looks through for those that it wants. */
const LOOKED_AT = 20_000;

export interface StopStep {
  ids: string[];
  /** Where to go on; null: there is nothing beyond. */
  last: string | null;
}

/** The next of what is to end, newest first, along the primary key: it knows no queue. */
export async function nextStopped(
  sql: Sql,
  { cursor, filter }: Pick<OperationRow, "cursor" | "filter">,
  limit: number,
): Promise<StopStep> {
  const { queue_ids, below, at } = stopOf(filter);
  const [row] = await sql.unsafe(
    `with looked as materialized (
       select id, queue_id, session_id, queued_at from live_job where id < $1
       order by id desc limit ${LOOKED_AT}),
     found as materialized (
       select id from looked where queue_id = any($2::int[]) and session_id is null
         and queued_at <= $3::text::timestamptz
       order by id desc limit $4::int)
     select array(select id::text from found order by id desc) as ids,
       (select count(*) from found)::int as n, (select count(*) from looked)::int as looked,
       (select id::text from looked order by id limit 1) as last`,
    [cursor ?? below, plainArray(queue_ids), at, limit],
    prepared,
  );
  const { ids, n, looked, last } = row as unknown as {
    ids: string[];
    n: number;
    looked: number;
    last: string | null;
  };
  if (n === limit) return { ids, last: ids.at(-1)! };
  return { ids, last: looked === LOOKED_AT ? last : null };
}

/** Those of them that still wait as they did: locked by id. */
export async function lockStopped(
  tx: Transaction,
  ids: string[],
  { at }: Pick<Stop, "at">,
): Promise<string[]> {
  const rows = await tx.unsafe(
    `select id from live_job where id = any($1::uuid[]) and session_id is null
       and queued_at <= $2::text::timestamptz order by id for update`,
    [plainArray(ids), at],
    prepared,
  );
  return rows.map((row) => row.id as string);
}
