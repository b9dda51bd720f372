/**
 * A row whose day has no partition: one that waited out a long outage, or came later than retention. Its
 * partition is made for it, or it would be tried again for ever, and with it the whole beat.
 */
import { timeOfId } from "../core/ids.ts";
import type { Sql } from "./client.ts";
import { ensurePartitionsFor, PARTITIONED_TABLES, type PartitionedTable } from "./partitions.ts";

interface ServerError {
  code?: unknown;
  message?: unknown;
  detail?: unknown;
}

export function lacksPartition(error: unknown): boolean {
  const { code, message } = error as ServerError;
  return code === "23514" && typeof message === "string" && message.includes("no partition");
}

/** Which table, and a moment of that day; null where the error does not tell. */
export function missingPartition(error: unknown) {
  const { message, detail } = error as ServerError;
  const name = /no partition of relation "(\w+)"/.exec(String(message))?.[1];
  const table = PARTITIONED_TABLES.find((one) => one === name);
  const key = /\((?:\w+)\) = \(([^)]+)\)/.exec(String(detail))?.[1];
  const at = key === undefined ? Number.NaN : (timeOfId(key) ?? parsed(key));
  return table === undefined || Number.isNaN(at) ? null : { table, at };
}

/** As PostgreSQL writes times: 2026-08-01 12:00:00.123456+00. */
function parsed(text: string): number {
  return Date.parse(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
}

/** True where it was made, so that the same may succeed now. */
export async function makeMissingPartition(sql: Sql, error: unknown): Promise<boolean> {
  const missing: { table: PartitionedTable; at: number } | null = missingPartition(error);
  if (missing === null) return false;
  return (await ensurePartitionsFor(sql, missing.table, [missing.at])).length > 0;
}
