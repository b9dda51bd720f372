/** What people set of queues: paused all at once, described, limited. */
import type { Transaction } from "../../client.ts";

const prepared = { prepare: true };

export interface SwitchedQueue {
  id: number;
  org: number;
  name: string;
}

/** Those of an organization, or (null) of all, that are not paused yet. Waits for leases in flight. */
export async function pauseQueues(
  tx: Transaction,
  org: number | null,
  { actor, reason }: { actor: string; reason: string | null },
): Promise<SwitchedQueue[]> {
  const rows = await tx.unsafe(
    `with picked as materialized (
       select id from queue where paused_at is null and ($1::int is null or org_id = $1)
       order by id for no key update)
     update queue q set paused_at = now(), paused_by = $2, pause_reason = $3
     from picked where q.id = any(array[picked.id]) returning q.id, q.org_id as org, q.name`,
    [org, actor, reason],
    prepared,
  );
  return rows as unknown as SwitchedQueue[];
}

/** Those that are paused. */
export async function resumeQueues(tx: Transaction, org: number | null): Promise<SwitchedQueue[]> {
  const rows = await tx.unsafe(
    `with picked as materialized (
       select id from queue where paused_at is not null and ($1::int is null or org_id = $1)
       order by id for no key update)
     update queue q set paused_at = null, paused_by = null, pause_reason = null
     from picked where q.id = any(array[picked.id]) returning q.id, q.org_id as org, q.name`,
    [org],
    prepared,
  );
  return rows as unknown as SwitchedQueue[];
}

/** As the API and the audit log name them; null: no such limit. */
export interface Limits {
  concurrency: number | null;
  rate: { count: number; seconds: number } | null;
  per_key: { tag: string; concurrency: number } | null;
}

export interface QueueSettings {
  description: string;
  limits: Limits;
}

/** Locks its limits and then the queue, in the order of a lease (engine rule 10). */
export async function lockSettings(tx: Transaction, queue: number): Promise<QueueSettings> {
  await tx.unsafe(`select from queue_limit where queue_id = $1 for update`, [queue], prepared);
  const [row] = await tx.unsafe(
    `select description from queue where id = $1 for no key update`,
    [queue],
    prepared,
  );
  // Read now: the first limits of a queue may have been written while we waited for it.
  const [limit] = await tx.unsafe(
    `select concurrency, rate_count, rate_seconds, key_tag, key_concurrency from queue_limit
     where queue_id = $1`,
    [queue],
    prepared,
  );
  const limits = limitsOf((limit as unknown as LimitColumns | undefined) ?? NO_LIMIT);
  return { description: row!.description as string, limits };
}

export interface LimitColumns {
  concurrency: number | null;
  rate_count: number | null;
  rate_seconds: number | null;
  key_tag: string | null;
  key_concurrency: number | null;
}

const NO_LIMIT: LimitColumns = {
  ...{ concurrency: null, rate_count: null, rate_seconds: null },
  ...{ key_tag: null, key_concurrency: null },
};

export function limitsOf(row: LimitColumns): Limits {
  const { concurrency, rate_count: count, rate_seconds: seconds, key_tag: tag } = row;
  return {
    concurrency,
    rate: count === null || seconds === null ? null : { count, seconds },
    per_key:
      tag === null || row.key_concurrency === null
        ? null
        : { tag, concurrency: row.key_concurrency },
  };
}

/** The row goes with the last limit: then leasing takes no lock. A new rate begins with a full bucket. */
export async function writeSettings(
  tx: Transaction,
  queue: number,
  { description, limits: { concurrency, rate, per_key } }: QueueSettings,
): Promise<void> {
  if (concurrency === null && rate === null && per_key === null) {
    await tx.unsafe(`delete from queue_limit where queue_id = $1`, [queue], prepared);
  } else {
    await tx.unsafe(
      `insert into queue_limit as l (queue_id, concurrency, rate_count, rate_seconds, key_tag,
         key_concurrency, tokens)
       values ($1, $2, $3, $4, $5, $6, coalesce($3::int, 0))
       on conflict (queue_id) do update set concurrency = $2, rate_count = $3, rate_seconds = $4,
         key_tag = $5, key_concurrency = $6,
         tokens = case when l.rate_count is null then coalesce($3::int, 0)
           else least(l.tokens, coalesce($3::int, 0)) end,
         refilled_at = case when l.rate_count is null then now() else l.refilled_at end`,
      [
        ...[queue, concurrency, rate?.count ?? null, rate?.seconds ?? null],
        ...[per_key?.tag ?? null, per_key?.concurrency ?? null],
      ],
      prepared,
    );
  }
  await tx.unsafe(
    `update queue set description = $2 where id = $1`,
    [queue, description],
    prepared,
  );
}
