/**
 * What a worker must know of the jobs it is given, from their immutable rows. Not part of the lease
 * statement: one scan for sorted ids costs a fraction of a search per leased row.
 */
import { DEFAULT_BACKOFF } from "../../core/backoff.ts";
import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";

export interface JobDetails {
  /** Null where it has none. */
  payload: unknown;
  timeout_seconds: number | null;
  /** base_seconds, factor, max_seconds; null where they are the defaults, as nearly always. */
  backoff: [number, number, number] | null;
}

const { base_seconds, factor, max_seconds } = DEFAULT_BACKOFF;
const OWN_BACKOFF = `(backoff_base <> ${base_seconds} or backoff_factor <> ${factor}
  or backoff_max <> ${max_seconds})`;

/** Two objects by id, of which JSON.parse makes values at once: rows cost the driver four times as much. */
const DETAILS = `
select json_object_agg(id, payload) as payloads,
  json_object_agg(id, json_build_array(timeout_seconds,
      case when ${OWN_BACKOFF} then json_build_array(backoff_base, backoff_factor, backoff_max) end))
    filter (where timeout_seconds is not null or ${OWN_BACKOFF}) as more
from job where id = any($1::uuid[])`;

interface Answer {
  payloads: Record<string, unknown> | null;
  more: Record<string, [number | null, JobDetails["backoff"]]> | null;
}

const NOTHING = [null, null] as const;

/** Of each job that exists. */
export async function readJobDetails(sql: Sql, ids: string[]): Promise<Map<string, JobDetails>> {
  const [row] = await sql.unsafe<Answer[]>(DETAILS, [plainArray(ids)], { prepare: true });
  const details = new Map<string, JobDetails>();
  for (const [id, payload] of Object.entries(row?.payloads ?? {})) {
    const [timeout_seconds, backoff] = row?.more?.[id] ?? NOTHING;
    details.set(id, { payload, timeout_seconds, backoff });
  }
  return details;
}
