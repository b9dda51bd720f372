import postgres from "postgres";
import type { Sql } from "./client.ts";

/**
 * What these connections are called. The feed does not wait for them: nothing of upkeep writes phase events
 * that anybody watches (the past of a demo is written before the engine starts).
 */
export const UPKEEP = "signalbox upkeep";

/**
 * A connection for upkeep (partitions, retention), opened on demand and closed when idle. It has
 * none of the engine's pinned plans and timeouts: a `detach concurrently` waits for readers longer
 * than any beat may last, and must not be cut in its middle.
 */
export function openUpkeep(url: string): Sql {
  return postgres(url, {
    max: 1,
    idle_timeout: 20,
    connect_timeout: 10,
    keep_alive: 10,
    onnotice: () => {},
    connection: { application_name: UPKEEP, jit: "off" },
  }) as unknown as Sql;
}
