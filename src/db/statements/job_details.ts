/**
 * What a worker must know of the jobs it is given, from their immutable rows. Not part of the lease
 * statement: one scan for sorted ids costs a fraction of a search per leased row.
 */
import { DEFAULT_BACKOFF } from "../../core/backoff.ts";
import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";

export interface JobDetails {
  id: string;
  payload: unknown;
  timeout_seconds: number | null;
  /** base_seconds, factor, max_seconds; null where they are the defaults, as nearly always. */
  backoff: [number, number, number] | null;
}

const { base_seconds, factor, max_seconds } = DEFAULT_BACKOFF;
const DETAILS = `
select id, payload, timeout_seconds,
  case when backoff_base <> ${base_seconds} or backoff_factor <> ${factor} or backoff_max <> ${max_seconds}
    then json_build_array(backoff_base, backoff_factor, backoff_max) end as backoff
from job where id = any($1::uuid[])`;

export async function readJobDetails(sql: Sql, ids: string[]): Promise<Map<string, JobDetails>> {
  const rows = await sql.unsafe(DETAILS, [plainArray(ids)], { prepare: true });
  return new Map(rows.map((row) => [row.id as string, row as unknown as JobDetails]));
}
