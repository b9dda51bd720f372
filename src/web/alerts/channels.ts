/** Channels as they are shown: without secrets, and of an address only what is none. Reads only. */
import type { Sql } from "../../db/client.ts";
import { andOfFleet, type FleetFilter } from "../../db/org_filter.ts";

export interface ChannelView {
  id: string;
  org: string | null;
  name: string;
  kind: "webhook" | "slack" | "email";
  severity: "warning" | "critical";
  /** Scheme and host: what follows is often a secret. */
  url: string | null;
  addresses: string[] | null;
  enabled: boolean;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
  last_delivery: {
    state: "waiting" | "delivered" | "given_up";
    attempts: number;
    at: string;
    error: string | null;
  } | null;
}

const LISTED_MAX = 100;
export const SIDE_BY_SIDE_MAX = 300;

/** `org` null: those of the instance. */
export function readChannelViews(
  sql: Sql,
  org: number | null,
  id: string | null = null,
): Promise<ChannelView[]> {
  const whose = org === null ? { orgs: [], shared: true } : { orgs: [org], shared: false };
  return readChannelsOf(sql, whose, { id, limit: LISTED_MAX });
}

/** Of these organizations side by side; `shared`: and first those that hear of every one. */
export async function readChannelsOf(
  sql: Sql,
  whose: FleetFilter,
  { id = null, limit = SIDE_BY_SIDE_MAX }: { id?: string | null; limit?: number } = {},
): Promise<ChannelView[]> {
  const rows = await sql<Record<string, unknown>[]>`
    select c.*, o.name as org, d.state, d.attempts, d.last_error, coalesce(d.ended_at, d.created_at) as last_at
    from alert_channel c left join org o on o.id = c.org_id
    left join lateral (select * from alert_delivery d where d.channel_id = c.id
      order by d.created_at desc limit 1) d on true
    where ${id === null ? sql`true` : sql`c.id = ${id}`} ${andOfFleet(sql, sql`c.org_id`, whose)}
    order by o.name nulls first, c.name limit ${limit}`;
  return rows.map(viewOf);
}

function viewOf(row: Record<string, unknown>): ChannelView {
  const time = (name: string) => (row[name] as Date).toISOString();
  return {
    id: row.id as string,
    org: row.org as string | null,
    name: row.name as string,
    kind: row.kind as ChannelView["kind"],
    severity: row.severity as ChannelView["severity"],
    url: row.url === null ? null : `${new URL(row.url as string).origin}/…`,
    addresses: row.addresses as string[] | null,
    enabled: row.enabled as boolean,
    created_at: time("created_at"),
    created_by: row.created_by as string,
    updated_at: time("updated_at"),
    updated_by: row.updated_by as string,
    last_delivery:
      row.state === null
        ? null
        : {
            state: row.state as "waiting",
            attempts: row.attempts as number,
            at: time("last_at"),
            error: row.last_error as string | null,
          },
  };
}
