/**
 * One beat of plain submissions in one statement, which is then its transaction: receipts, jobs,
 * phase events and counter deltas of many callers (engine rule 7).
 *
 * A submission whose receipt's key has a row already is left out, alone. Locks: receipts, sorted;
 * everything else is new.
 */
import { numbers, plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { type Column, rowSource } from "../row_source.ts";
import { NIL_UUID } from "./counters.ts";
import { KEPT, type KeyName } from "./idempotency.ts";
import { NEW_JOB_COLUMNS, NEW_JOBS, type NewJob } from "./insert_jobs.ts";

/** Jobs without dependencies, workflow or dedupe key. */
export interface PlainSubmission {
  rows: readonly NewJob[];
  /** Database time of the submission, milliseconds. */
  at: number;
  receipt: NewReceipt | null;
}

export interface NewReceipt extends KeyName {
  /** Null: `answer` is what an answer can be made from. */
  status: number | null;
  answer: unknown;
}

interface Row {
  job: NewJob;
  at: number;
  /** The place of its submission, counted from 1. */
  place: number;
}

const given = rowSource<Row>("u", [
  ...NEW_JOB_COLUMNS.map(
    ([name, kind, value]): Column<Row> => [name, kind, ({ job }) => value(job)],
  ),
  ["submitted", "seconds", (r) => r.at],
  ["place", "int", (r) => r.place],
]);

const receipts = rowSource<{ place: number; receipt: NewReceipt }>(
  "r",
  [
    ["place", "int", (r) => r.place],
    ["caller", "text", (r) => r.receipt.caller],
    ["key", "text", (r) => r.receipt.key],
    ["hash", "text", (r) => r.receipt.hash],
    ["status", "int", (r) => r.receipt.status],
    ["answer", "json", (r) => r.receipt.answer],
  ],
  given.next,
);

// `not in` over a list without nulls is hashed, whatever joins are switched off.
const TAKE = `
with beat as (insert into beat (id) values ($${receipts.next}::uuid)),
asked as materialized (select * from ${receipts.sql}),
signed as (
  insert into idempotency_key (caller, key, request_hash, status, answer)
  select caller, key, hash, status, answer::json from asked order by caller, key
  on conflict (caller, key) do update
    set request_hash = excluded.request_hash, status = excluded.status,
      answer = excluded.answer, created_at = now()
    where idempotency_key.created_at < now() - ${KEPT}
  returning caller, key),
refused as materialized (
  select place from asked where (caller, key) not in (select caller, key from signed)),
t as materialized (
  select u.*, to_timestamp(u.submitted) as at from ${given.sql}
  where u.place not in (select place from refused)),
${NEW_JOBS},
deltas as (
  insert into counter_delta (org_id, queue_id, name_id, workflow_id, state, n)
  select org, case family when 1 then queue else 0 end, case family when 2 then counted else 0 end,
    '${NIL_UUID}'::uuid, state, count(*)
  from t cross join (values (1), (2)) as f(family) group by 1, 2, 3, 5)
select array_agg(place)::text as refused from refused`;

/**
 * Takes the submissions. Of their receipts no two may name the same key. Returns the places of those
 * that were left out, counted from 0.
 */
export async function takeJobs(
  sql: Sql,
  submissions: readonly PlainSubmission[],
  beat: string,
): Promise<Set<number>> {
  const jobs = submissions.flatMap(({ rows, at }, i) =>
    rows.map((job) => ({ job, at, place: i + 1 })),
  );
  const signing = submissions.flatMap(({ receipt }, i) =>
    receipt === null ? [] : [{ place: i + 1, receipt }],
  );
  const params = [...given.params(jobs), ...receipts.params(signing), beat];
  const [row] = await sql.unsafe(TAKE, params, { prepare: true });
  return new Set(numbers(row?.refused as string | null).map((place) => place - 1));
}

/** Those of these jobs that exist. */
export async function whichJobs(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  const found = await sql.unsafe(
    "select id from job where id = any($1::uuid[])",
    [plainArray(ids)],
    { prepare: true },
  );
  return new Set(found.map((row) => row.id as string));
}
