/** Histories of names (see the table): read when a name comes into the window, flushed in batches. */

import { plainArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import { nested, rowSource } from "../row_source.ts";

export interface HistoryRow {
  name_id: number;
  samples: number;
  run_ms: number[];
  peak_ram_mb: number[];
  cpu_ms: number[];
  disk_bytes: number[];
  network_mbps: number[];
  oom: number[];
}

export async function readHistories(sql: Sql, names: number[]): Promise<HistoryRow[]> {
  if (names.length === 0) return [];
  const rows = await sql.unsafe(
    `select name_id, samples, run_ms, peak_ram_mb, cpu_ms, disk_bytes, network_mbps, oom
     from name_history where name_id = any($1::int[])`,
    [plainArray(names)],
    { prepare: true },
  );
  return rows as unknown as HistoryRow[];
}

const rows = rowSource<HistoryRow>("t", [
  ["name", "int", (h) => h.name_id],
  ["samples", "int", (h) => h.samples],
  ["run", "text", (h) => nested(h.run_ms) ?? "{}"],
  ["ram", "text", (h) => nested(h.peak_ram_mb) ?? "{}"],
  ["cpu", "text", (h) => nested(h.cpu_ms) ?? "{}"],
  ["disk", "text", (h) => nested(h.disk_bytes) ?? "{}"],
  ["net", "text", (h) => nested(h.network_mbps) ?? "{}"],
  ["oom", "text", (h) => nested(h.oom) ?? "{}"],
]);

/** Newest samples kept a figure. */
const KEEP = 200;
const last = (column: string, fresh: string) =>
  `(h.${column} || excluded.${fresh})[greatest(1, cardinality(h.${column}) + cardinality(excluded.${fresh}) - ${KEEP - 1}):]`;

/** Appends fresh samples to what stands: several replicas may flush the same name. */
export async function appendHistories(sql: Sql | Transaction, fresh: HistoryRow[]): Promise<void> {
  if (fresh.length === 0) return;
  const sorted = [...fresh].sort((a, b) => a.name_id - b.name_id);
  await sql.unsafe(
    `insert into name_history as h (name_id, samples, run_ms, peak_ram_mb, cpu_ms, disk_bytes, network_mbps, oom)
     select name, samples, run::float8[], ram::real[], cpu::float8[], disk::float8[], net::real[],
       oom::real[]
     from ${rows.sql}
     on conflict (name_id) do update set samples = h.samples + excluded.samples, updated_at = now(),
       run_ms = ${last("run_ms", "run_ms")}, peak_ram_mb = ${last("peak_ram_mb", "peak_ram_mb")},
       cpu_ms = ${last("cpu_ms", "cpu_ms")}, disk_bytes = ${last("disk_bytes", "disk_bytes")},
       network_mbps = ${last("network_mbps", "network_mbps")}, oom = ${last("oom", "oom")}`,
    rows.params(sorted),
    { prepare: true },
  );
}
