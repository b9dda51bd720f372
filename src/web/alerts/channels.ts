/** Channels as they are shown: without secrets, and of an address only what is none. Reads only. */
import type { Sql } from "../../db/client.ts";

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

/** `org` null: those of the instance. */
export async function readChannelViews(
  sql: Sql,
  org: number | null,
  id: string | null = null,
): Promise<ChannelView[]> {
  const rows = await sql<Record<string, unknown>[]>`
    select c.*, o.name as org, d.state, d.attempts, d.last_error, coalesce(d.ended_at, d.created_at) as last_at
    from alert_channel c left join org o on o.id = c.org_id
    left join lateral (select * from alert_delivery d where d.channel_id = c.id
      order by d.created_at desc limit 1) d on true
    where c.org_id is not distinct from ${org}::int ${id === null ? sql`` : sql`and c.id = ${id}`}
    order by c.name limit 100`;
  return rows
    .map((row) => ({
      ...(row as unknown as Pick<
        ChannelView,
        "id" | "org" | "name" | "kind" | "severity" | "enabled"
      >),
      url: row.url === null ? null : `${new URL(row.url as string).origin}/…`,
      addresses: row.addresses as string[] | null,
      created_at: (row.created_at as Date).toISOString(),
      created_by: row.created_by as string,
      updated_at: (row.updated_at as Date).toISOString(),
      updated_by: row.updated_by as string,
      last_delivery:
        row.state === null
          ? null
          : {
              state: row.state as "waiting",
              attempts: row.attempts as number,
              at: (row.last_at as Date).toISOString(),
              error: row.last_error as string | null,
            },
    }))
    .map(({ id: own, org: of, name, kind, severity, url, addresses, enabled, ...rest }) => ({
      ...{ id: own, org: of, name, kind, severity, url, addresses, enabled },
      ...{ created_at: rest.created_at, created_by: rest.created_by, updated_at: rest.updated_at },
      ...{ updated_by: rest.updated_by, last_delivery: rest.last_delivery },
    }));
}
