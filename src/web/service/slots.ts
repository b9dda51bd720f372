/**
 * Slots of workers: what each holds, and how far it is with being freed. That is read of the rows that
 * decide it, so that nothing is called freed which its worker has not ended.
 */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, andOfOrgs, type FleetFilter } from "../../db/org_filter.ts";

/** It was asked to end: `acknowledged` once its worker has said that it stops it. */
export interface Freeing {
  state: "asked" | "acknowledged";
  /** Its job goes back in line; else it ends as cancelled. */
  requeue: boolean;
  by: string | null;
  reason: string | null;
  asked_at: string;
  acknowledged_at: string | null;
}

export interface HeldSlot {
  /** From 1; null for a moment, where an earlier server gave it. */
  slot: number | null;
  job: string;
  name: string;
  org: string;
  queue: string;
  attempt: number;
  state: "dispatched" | "running";
  /** Since it entered this state. */
  since: string;
  started_at: string | null;
  /** When it last told how far it is. */
  checked_in_at: string | null;
  freeing: Freeing | null;
}

/** `used`: by a job that the reader does not see. */
export type SlotView =
  | (Omit<HeldSlot, "slot"> & { slot: number })
  | { slot: number; state: "idle" | "used" };

interface HeldRow {
  session: number;
  slot: number | null;
  job: string;
  name: string;
  org: string;
  queue: string;
  attempt: number;
  state: "dispatched" | "running";
  dispatched_at: Date;
  started_at: Date | null;
  progress_at: Date | null;
  cancel_requested_at: Date | null;
  cancel_acknowledged_at: Date | null;
  cancel_requeue: boolean;
  cancel_actor: string | null;
  cancel_reason: string | null;
}

/** By session, in the order of slots. */
export async function readHeld(
  sql: Sql,
  sessions: number[],
  { orgs, each }: { orgs: OrgFilter; each: number },
): Promise<Map<number, HeldSlot[]>> {
  const rows = (await sql`
    select s.session, held.* from unnest(${sessions}::bigint[]) as s(session)
    cross join lateral (
      select l.slot, l.id as job, n.name, o.name as org, q.name as queue, l.attempt, l.state,
        l.dispatched_at, l.started_at, l.progress_at, l.cancel_requested_at, l.cancel_acknowledged_at,
        l.cancel_requeue, l.cancel_actor, l.cancel_reason
      from leased_job l join job_name n on n.id = l.name_id join org o on o.id = l.org_id
      join queue q on q.id = l.queue_id
      where l.holder = s.session ${andOfOrgs(sql, sql`l.org_id`, orgs)}
      order by l.slot, l.dispatched_at, l.id limit ${each}) held`) as unknown as HeldRow[];
  const bySession = new Map<number, HeldSlot[]>();
  for (const row of rows) {
    const list = bySession.get(Number(row.session)) ?? [];
    bySession.set(Number(row.session), list);
    list.push(heldOf(row));
  }
  return bySession;
}

function heldOf(row: HeldRow): HeldSlot {
  const { slot, job, name, org, queue, attempt, state } = row;
  return {
    ...{ slot, job, name, org, queue, attempt, state },
    since: (row.started_at ?? row.dispatched_at).toISOString(),
    started_at: iso(row.started_at),
    checked_in_at: iso(row.progress_at),
    freeing: row.cancel_requested_at === null ? null : freeingOf(row, row.cancel_requested_at),
  };
}

function freeingOf(row: HeldRow, asked: Date): Freeing {
  return {
    state: row.cancel_acknowledged_at === null ? "asked" : "acknowledged",
    requeue: row.cancel_requeue,
    ...{ by: row.cancel_actor, reason: row.cancel_reason },
    asked_at: asked.toISOString(),
    acknowledged_at: iso(row.cancel_acknowledged_at),
  };
}

const iso = (time: Date | null) => time?.toISOString() ?? null;

/** A worker's slots from after `after`, idle ones too; null where no such worker is connected. */
export async function readSlots(
  sql: Sql,
  worker: string,
  fleet: FleetFilter,
  { after, limit }: { after: number; limit: number },
): Promise<{ slots: number; items: SlotView[] } | null> {
  const [session] = await sql`
    select c.id, c.concurrency from worker w join worker_connection c on c.worker_id = w.id
    where w.uid = ${worker} and c.ended_at is null ${andOfFleet(sql, sql`c.org_id`, fleet)}
    order by c.id desc limit 1`;
  if (session === undefined) return null;
  const id = Number(session.id);
  const slots = session.concurrency as number;
  const all = { orgs: "all", each: HELD_MAX } as const;
  const [seen, held] = await Promise.all([
    readHeld(sql, [id], { orgs: fleet.orgs, each: HELD_MAX }),
    fleet.orgs === "all" ? null : readHeld(sql, [id], all),
  ]);
  const views = new Map<number, SlotView>();
  for (const { slot } of held?.get(id) ?? []) if (slot) views.set(slot, { slot, state: "used" });
  // Of two, for a moment, the newer.
  for (const one of seen.get(id) ?? []) {
    if (one.slot !== null) views.set(one.slot, { ...one, slot: one.slot });
  }
  const last = Math.max(slots, ...views.keys());
  const items: SlotView[] = [];
  for (let slot = after + 1; slot <= last && items.length < limit; slot++) {
    items.push(views.get(slot) ?? { slot, state: "idle" });
  }
  return { slots, items };
}

/** What one session can hold. */
const HELD_MAX = 40_000;

/** A slot as somebody ticked it: for the job that it held then. */
export interface NamedSlot {
  worker: string;
  slot: number;
  job: string;
}

export interface SlotLabel {
  /** Null: the reader knows of no such worker. */
  worker: string | null;
  /** Null: the reader sees no such job, or it has ended. */
  job: string | null;
}

/** What people call them, in their order; of workers that have gone too. */
export async function labelSlots(
  sql: Sql,
  { orgs, shared }: FleetFilter,
  slots: readonly NamedSlot[],
): Promise<SlotLabel[]> {
  const of = (key: "worker" | "job") => slots.map((slot) => slot[key]) as string[];
  const rows = await sql`
    select w.name as worker, j.name as job
    from unnest(${of("worker")}::uuid[], ${of("job")}::uuid[]) with ordinality as s(worker, job, place)
    left join lateral (
      select w.name from worker w
      where w.uid = s.worker ${andOfFleet(sql, sql`w.org_id`, { orgs, shared })} limit 1) w on true
    left join lateral (
      select n.name from live_job l join job_name n on n.id = l.name_id
      where l.id = s.job ${andOfOrgs(sql, sql`l.org_id`, orgs)} limit 1) j on true
    order by s.place`;
  return rows as unknown as SlotLabel[];
}
