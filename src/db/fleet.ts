/**
 * How large the fleet is, and how much of it a caller sees: of what is hidden only its size is told,
 * never whose it is, what it can, or how busy it is.
 */
import type { Sql } from "./client.ts";
import { andOfFleet, type FleetFilter } from "./org_filter.ts";

export interface Shares {
  visible: number;
  total: number;
  hidden: number;
}

/** Connected workers, and the slots that they offer. Those that are away offer none until they are back. */
export interface FleetSize {
  workers: Shares;
  slots: Shares;
}

/** `asked`: whose workers are shown. `seen`: whose are not hidden. What is seen but not asked for is left out. */
export async function readFleetSize(
  sql: Sql,
  asked: FleetFilter,
  seen: FleetFilter,
): Promise<FleetSize> {
  const [row] = await sql<
    Record<"workers" | "slots" | "hidden_workers" | "hidden_slots", number>[]
  >`
    select count(*) filter (where asked)::int as workers,
      coalesce(sum(concurrency) filter (where asked), 0)::int as slots,
      count(*) filter (where not seen)::int as hidden_workers,
      coalesce(sum(concurrency) filter (where not seen), 0)::int as hidden_slots
    from (
      select concurrency, (true ${andOfFleet(sql, sql`org_id`, asked)}) is true as asked,
        (true ${andOfFleet(sql, sql`org_id`, seen)}) is true as seen
      from (
        select distinct on (c.worker_id) c.org_id, c.concurrency, c.dropped_at from worker_connection c
        where c.ended_at is null order by c.worker_id, c.id desc) newest
      where dropped_at is null
    ) w`;
  const { workers, slots, hidden_workers, hidden_slots } = row!;
  return { workers: shares(workers, hidden_workers), slots: shares(slots, hidden_slots) };
}

function shares(visible: number, hidden: number): Shares {
  return { visible, total: visible + hidden, hidden };
}
