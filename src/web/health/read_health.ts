/** How this server, its database and its upkeep are: for superusers, on the board and as JSON. */
import type { Sql } from "../../db/client.ts";
import { readDatabaseSize } from "../../db/statements/keeping/sizes.ts";
import { processFacts } from "../../runtime/process_facts.ts";
import { countWaiting } from "../metrics/coverage.ts";
import { loopDelay } from "./event_loop.ts";

export interface Health {
  uptime_seconds: number;
  process: {
    runtime: string;
    resident_memory_bytes: number;
    heap_bytes: number;
    cpu_seconds_total: number;
    /** Longest wait of the last minute; null right after the start. */
    event_loop_delay_ms: number | null;
  };
  database: {
    version: string;
    size_bytes: number;
    connections: { application: string; state: string; count: number }[];
    connections_max: number;
  };
  rollups: {
    /** Null before the first pass. */
    lag_seconds: number | null;
    /** Minutes of history that wait to be added up. */
    waiting_minutes: number;
  };
  servers: { id: string; address: string; started_at: string; seen_at: string; alive: boolean }[];
}

/** After so many seconds without a heartbeat a server counts as gone. */
const ALIVE_SECONDS = 10;
const SERVERS_MAX = 50;

/** @param sizeBytes where it is known already: PostgreSQL looks at every file of the database for it */
export async function readHealth(reads: Sql, sizeBytes?: number): Promise<Health> {
  loopDelay.start();
  const [database, rollups, servers] = await Promise.all([
    readDatabase(reads, sizeBytes),
    readRollups(reads),
    readServers(reads),
  ]);
  return { ...ownFacts(), database, rollups, servers };
}

function ownFacts(): Pick<Health, "uptime_seconds" | "process"> {
  const { runtime, uptimeSeconds, residentBytes, heapBytes, cpuSeconds } = processFacts();
  return {
    uptime_seconds: Math.floor(uptimeSeconds),
    process: {
      runtime,
      resident_memory_bytes: residentBytes,
      heap_bytes: heapBytes,
      cpu_seconds_total: cpuSeconds,
      event_loop_delay_ms: loopDelay.longest,
    },
  };
}

async function readDatabase(reads: Sql, sizeBytes?: number): Promise<Health["database"]> {
  const [size, [facts], connections] = await Promise.all([
    sizeBytes ?? readDatabaseSize(reads),
    reads<{ version: string; most: number }[]>`
      select current_setting('server_version') as version, current_setting('max_connections')::int as most`,
    reads<{ application: string; state: string; count: number }[]>`
      select coalesce(nullif(application_name, ''), 'others') as application,
        coalesce(state, 'background') as state, count(*)::int as count
      from pg_stat_activity where datname = current_database() group by 1, 2 order by 1, 2`,
  ]);
  const { version, most } = facts!;
  return { version, size_bytes: size, connections: [...connections], connections_max: most };
}

async function readRollups(reads: Sql): Promise<Health["rollups"]> {
  const [row] = await reads<{ lag: number }[]>`
    select extract(epoch from now() - complete_until)::float8 as lag from rollup_progress where id = 1`;
  return { lag_seconds: row?.lag ?? null, waiting_minutes: await countWaiting(reads) };
}

async function readServers(reads: Sql): Promise<Health["servers"]> {
  const rows = await reads<
    { id: string; address: string; started_at: Date; seen_at: Date; alive: boolean }[]
  >`
    select id, address, started_at, seen_at,
      seen_at > now() - make_interval(secs => ${ALIVE_SECONDS}) as alive
    from replica order by started_at desc limit ${SERVERS_MAX}`;
  return rows.map(({ started_at, seen_at, ...own }) => ({
    ...own,
    started_at: started_at.toISOString(),
    seen_at: seen_at.toISOString(),
  }));
}
