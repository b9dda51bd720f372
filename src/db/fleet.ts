/**
 * How large the fleet is, and how much of it a caller sees: of what is hidden only its size is told,
 * never whose it is, what it can, or how busy it is.
 */
import { coversWorker } from "../core/org_filter.ts";
import type { Sql } from "./client.ts";
import type { FleetFilter } from "./org_filter.ts";

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
  return fleetSizeOf(await readOrgShares(sql), asked, seen);
}

/** What an organization has connected, or (null) what all share. */
export interface OrgShare {
  org: number | null;
  workers: number;
  slots: number;
}

export async function readOrgShares(sql: Sql): Promise<OrgShare[]> {
  return await sql<OrgShare[]>`
    select org_id as org, count(*)::int as workers, sum(concurrency)::int as slots
    from (
      select distinct on (c.worker_id) c.org_id, c.concurrency, c.dropped_at from worker_connection c
      where c.ended_at is null order by c.worker_id, c.id desc) newest
    where dropped_at is null group by org_id`;
}

export function fleetSizeOf(
  shares: readonly OrgShare[],
  asked: FleetFilter,
  seen: FleetFilter,
): FleetSize {
  const shown = shares.filter(({ org }) => coversWorker(asked, org));
  const hidden = shares.filter(({ org }) => !coversWorker(seen, org));
  const size = (of: "workers" | "slots") => {
    const [visible, rest] = [sumOf(shown, of), sumOf(hidden, of)];
    return { visible, total: visible + rest, hidden: rest };
  };
  return { workers: size("workers"), slots: size("slots") };
}

function sumOf(shares: readonly OrgShare[], of: "workers" | "slots"): number {
  return shares.reduce((sum, share) => sum + share[of], 0);
}
