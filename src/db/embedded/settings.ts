/** Settings of the embedded PostgreSQL: sensible on a small machine with one Signalbox on it. */
import os from "node:os";
import process from "node:process";

export type Settings = Record<string, string>;

/** A sixteenth of the machine, or of what this process may have of it: 128 MB to 1 GB. */
export function sharedBuffersMb(machineMb: number): number {
  return Math.round(Math.min(1_024, Math.max(128, machineMb / 16)));
}

function machineMb(): number {
  const bytes = Math.min(os.totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return bytes / 1024 / 1024;
}

/**
 * - `max_wal_size`, `checkpoint_timeout`: the hot tables rewrite the same pages all the time; rare
 *   checkpoints keep full-page images from being most of the WAL.
 * - `wal_compression` off: this build can only do it slowly (pglz), and the pages of waiting jobs
 *   are mostly free space, which full-page images leave out anyway.
 * - `shared_buffers`: with a million jobs waiting, 256 MB gave 0.85 of the starts a second that 10,000
 *   waiting gave, 1 GB as many (`bun run bench:depth`).
 * - `jit` off: compiling costs more than any statement here runs.
 * - `client_connection_check_interval`: after `kill -9` of the server its statements end soon and
 *   let go of their locks, instead of running on for nobody.
 * - No parallel plans: the cores are the engine's, and their shared memory is 64 MB in a container.
 * - No parameters in the log: a slow statement may carry somebody's payload.
 * - `wal_level` minimal would save nothing here and would forbid a base backup.
 */
export const SETTINGS: Settings = {
  listen_addresses: "'127.0.0.1'",
  unix_socket_directories: "''",
  max_connections: "100",
  password_encryption: "'scram-sha-256'",
  shared_buffers: `'${sharedBuffersMb(machineMb())}MB'`,
  huge_pages: "'try'",
  work_mem: "'16MB'",
  maintenance_work_mem: "'128MB'",
  effective_cache_size: "'1GB'",
  random_page_cost: "1.1",
  jit: "off",
  max_parallel_workers_per_gather: "0",
  synchronous_commit: "on",
  wal_compression: "off",
  max_wal_size: "'3GB'",
  min_wal_size: "'256MB'",
  checkpoint_timeout: "'15min'",
  checkpoint_completion_target: "0.9",
  autovacuum_naptime: "'10s'",
  client_connection_check_interval: "'5s'",
  tcp_keepalives_idle: "10",
  logging_collector: "off",
  log_destination: "'stderr'",
  log_line_prefix: "'%m [%p] %a '",
  log_min_duration_statement: "'5s'",
  log_parameter_max_length: "0",
  log_timezone: "'UTC'",
  timezone: "'UTC'",
};

/** Durability given up, for tests that never pull the plug. */
export const FAST_SETTINGS: Settings = {
  ...SETTINGS,
  max_connections: "400",
  shared_buffers: "'128MB'",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  // Files in the cluster, which go with it; segments in /dev/shm outlive a killed server.
  dynamic_shared_memory_type: "mmap",
};

/** The file that PostgreSQL reads; `local.conf` beside it may overrule any of it. */
export function settingsFile(settings: Settings, port: number): string {
  const lines = Object.entries({ ...settings, port: String(port) }).map(([k, v]) => `${k} = ${v}`);
  return [
    "# Written by Signalbox at each start. Put settings of your own into local.conf beside it.",
    ...lines,
    "include_if_exists = 'local.conf'",
    "",
  ].join("\n");
}
