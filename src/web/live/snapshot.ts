/** Rows of live jobs and the horizon they are true for, read in one repeatable-read transaction. */

import { timeOfId } from "../../core/ids.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import type { Interner } from "../../engine/interner.ts";
import { readCounts } from "./counts.ts";
import type { LiveFilter } from "./filter.ts";
import type { LiveRow, RowDetails } from "./row.ts";

/** How many waiting jobs, newest first, a filter looks through: looking must not hurt the queue. */
export const SEARCHED_MAX = 4_000;
const ACTIVE_SEARCHED_MAX = 10_000;

export interface LiveSnapshot {
  /** Feed id that everything here is true for. */
  id: string;
  active: LiveRow[];
  waiting: LiveRow[];
  /** More jobs of the group match than were asked for. */
  moreActive: boolean;
  moreWaiting: boolean;
  /** Not all waiting jobs were looked at: there are more than `SEARCHED_MAX`. */
  searchedPart: boolean;
}

/** Runs `read` on one snapshot and adds the id of the last event that it holds. */
async function readSnapshot<T>(
  reads: Sql,
  read: (tx: Transaction) => Promise<T>,
): Promise<{ id: string; value: T }> {
  const result = await reads.begin("isolation level repeatable read read only", async (tx) => {
    const id = await horizon(tx);
    return { id, value: await read(tx) };
  });
  return result as { id: string; value: T };
}

/**
 * Everything below the oldest transaction still open is in this snapshot for good (engine rule
 * 28); what lies above may be in it already, and comes again as an event that says nothing new.
 */
async function horizon(tx: Transaction): Promise<string> {
  const [row] = await tx`select pg_snapshot_xmin(pg_current_snapshot())::text as xmin`;
  return horizonId(row?.xmin as string);
}

/** Of everything below this transaction. */
export function horizonId(xmin: string): string {
  return `${BigInt(xmin) - 1n}.${Number.MAX_SAFE_INTEGER}`;
}

export interface LiveQuestion {
  filter: LiveFilter;
  /** Only jobs of these are there. */
  orgs: OrgFilter;
  limits: { active: number; waiting: number };
}

export async function readLive(
  reads: Sql,
  names: Interner,
  { filter, orgs, limits }: LiveQuestion,
): Promise<LiveSnapshot> {
  const { id, value } = await readSnapshot(reads, async (tx) => {
    const active = await readActive(tx, filter, orgs, limits.active + 1);
    const waiting = await readWaiting(tx, filter, orgs, limits.waiting + 1);
    return { active, waiting };
  });
  const rows = [...value.active, ...value.waiting.rows];
  await loadNames(names, rows);
  return {
    id,
    active: value.active.slice(0, limits.active),
    waiting: value.waiting.rows.slice(0, limits.waiting),
    moreActive: value.active.length > limits.active,
    moreWaiting: value.waiting.rows.length > limits.waiting,
    searchedPart: value.waiting.searchedPart,
  };
}

export async function loadNames(names: Interner, rows: Iterable<LiveRow>): Promise<void> {
  const list = [...rows];
  await names.load({
    orgs: list.map((row) => row.org),
    queues: list.map((row) => row.queue),
    names: list.map((row) => row.name),
    workers: list.flatMap((row) => (row.worker === null ? [] : [row.worker])),
  });
}

// Rows

function columns(tx: Transaction | Sql) {
  return tx`
    l.id, l.org_id, l.queue_id, l.name_id, l.state, l.waiting_for, l.attempt, l.worker_id,
    l.queued_at, l.eligible_at, l.ready_at, l.dispatched_at, l.started_at,
    l.priority, l.max_attempts, l.failures, l.score, l.progress, l.progress_note,
    l.cancel_requested_at, l.cancel_acknowledged_at`;
}

/** Jobs on workers: found by the batches of their sessions. */
async function readActive(
  tx: Transaction,
  filter: LiveFilter,
  orgs: OrgFilter,
  limit: number,
): Promise<LiveRow[]> {
  const rows = await tx<Row[]>`
    select ${columns(tx)}
    from (
      select * from leased_job where true ${andOfOrgs(tx, tx`org_id`, orgs)}
      limit ${ACTIVE_SEARCHED_MAX}) l
    ${conditions(tx, filter)}
    order by l.dispatched_at desc, l.id desc limit ${limit}`;
  return rows.map(toRow);
}

/**
 * Jobs in line, newest first. Those of other organizations do not count among those that are looked
 * through: how many they are must neither be told nor hide what a reader may see. The counters know how
 * many there are to be found, so the walk down the ids ends with the last of them: without that, an
 * organization with nothing in line read everybody else's line to its end (340 ms for 400,000 jobs).
 */
async function readWaiting(tx: Transaction, filter: LiveFilter, orgs: OrgFilter, limit: number) {
  const counts = await readCounts(tx, orgs);
  const inLine = counts.queued + counts.ready;
  const searchedPart = inLine > SEARCHED_MAX;
  if (inLine === 0) return { rows: [], searchedPart };
  const rows = await tx<Row[]>`
    select ${columns(tx)}
    from (select * from live_job
          where session_id is null ${andOfOrgs(tx, tx`org_id`, orgs)}
          order by id desc limit ${Math.min(inLine, SEARCHED_MAX)}) l
    ${conditions(tx, filter)}
    order by l.id desc limit ${limit}`;
  return { rows: rows.map(toRow), searchedPart };
}

function conditions(tx: Transaction, filter: LiveFilter) {
  const { states, org, queue, name, worker, q } = filter;
  return tx`
    join org o on o.id = l.org_id
    join queue u on u.id = l.queue_id
    join job_name n on n.id = l.name_id
    left join worker w on w.id = l.worker_id
    where true
    ${states.length > 0 ? tx`and l.state::text = any(${states as string[]})` : tx``}
    ${org !== "" ? tx`and o.name = ${org}` : tx``}
    ${queue !== "" ? tx`and u.name = ${queue}` : tx``}
    ${name !== "" ? tx`and n.name = ${name}` : tx``}
    ${worker !== "" ? tx`and w.name = ${worker}` : tx``}
    ${
      q !== ""
        ? tx`and (strpos(lower(n.name), ${q}) > 0 or strpos(lower(u.name), ${q}) > 0
              or strpos(lower(coalesce(w.name, '')), ${q}) > 0 or strpos(l.id::text, ${q}) > 0)`
        : tx``
    }`;
}

/** Rows by id, for jobs that events named first. Jobs that ended are not here any more. */
export async function readRows(reads: Sql, ids: readonly string[]): Promise<Map<string, LiveRow>> {
  if (ids.length === 0) return new Map();
  const rows = await reads<Row[]>`
    select ${columns(reads)} from live_job l where l.id = any(${ids as string[]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, toRow(row)]));
}

interface Row {
  id: string;
  org_id: number;
  queue_id: number;
  name_id: number;
  state: LiveRow["state"];
  waiting_for: LiveRow["waitingFor"];
  attempt: number;
  worker_id: number | null;
  queued_at: Date;
  eligible_at: Date | null;
  ready_at: Date | null;
  dispatched_at: Date | null;
  started_at: Date | null;
  priority: number;
  max_attempts: number;
  failures: number;
  score: number | null;
  progress: number | null;
  progress_note: string | null;
  cancel_requested_at: Date | null;
  cancel_acknowledged_at: Date | null;
}

function toRow(row: Row): LiveRow {
  const times = {
    queuedAt: row.queued_at.getTime(),
    eligibleAt: ms(row.eligible_at),
    readyAt: ms(row.ready_at),
    dispatchedAt: ms(row.dispatched_at),
    startedAt: ms(row.started_at),
    runMs: null,
    endedAt: null,
  };
  return {
    id: row.id,
    org: row.org_id,
    queue: row.queue_id,
    name: row.name_id,
    state: row.state,
    waitingFor: row.waiting_for,
    attempt: row.attempt,
    worker: row.worker_id,
    times,
    since: sinceOf(row.state, times),
    outcome: null,
    reason: null,
    heard: false,
    details: detailsOf(row),
  };
}

function sinceOf(state: LiveRow["state"], times: LiveRow["times"]): number {
  if (state === "running" && times.startedAt !== null) return times.startedAt;
  if (state === "dispatched" && times.dispatchedAt !== null) return times.dispatchedAt;
  if (state === "ready" && times.readyAt !== null) return times.readyAt;
  return times.eligibleAt ?? times.queuedAt;
}

function detailsOf(row: Row): RowDetails {
  let cancel: RowDetails["cancel"] = null;
  if (row.cancel_requested_at) cancel = row.cancel_acknowledged_at ? "acknowledged" : "asked";
  return {
    priority: row.priority,
    maxAttempts: row.max_attempts,
    failures: row.failures,
    score: row.score,
    progress: row.progress,
    progressNote: row.progress_note,
    cancel,
    createdAt: timeOfId(row.id) ?? row.queued_at.getTime(),
  };
}

function ms(date: Date | null): number | null {
  return date === null ? null : date.getTime();
}
