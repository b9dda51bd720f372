/**
 * One step of a walk through jobs: a bounded number of rows along an index in id order, and which of
 * them match. What it reads is known before it runs, whatever is asked.
 *
 * Only what belongs to the organizations asked of is walked, unless the walker sees all there is
 * (`isWhole`): how far a bounded walk through other people's rows gets would tell how many they are.
 */

import { smallestId, timeOfId } from "../../core/ids.ts";
import type { OrgFilter } from "../../core/scope.ts";
import {
  asksLeasedOnly,
  asksLiveOnly,
  type Criteria,
  type Criterion,
  createdRange,
} from "../../core/search/criteria.ts";
import { plainArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import { Binder } from "./binder.ts";
import { asksState, jobConditions, stateConditions } from "./conditions.ts";
import { chunkOfJobs, idsOf, type Source } from "./sources.ts";

export interface Question {
  criteria: Criteria;
  orgs: OrgFilter;
  /** The walker sees everything, so that rows of others tell nothing. */
  isWhole: boolean;
  /** Database time, epoch milliseconds. */
  now: number;
}

export type Direction = "older" | "newer";

export interface Step {
  direction: Direction;
  /** Where to go on; the id itself is not looked at. Null: from the end. */
  from: string | null;
  /** Rows to look at. */
  chunk: number;
  /** Matches wanted at most. */
  want: number;
}

export interface Hit {
  id: string;
  queue: number;
}

export interface Found {
  hits: Hit[];
  scanned: number;
  /** The last id looked at; null where there is nothing beyond. */
  last: string | null;
}

type Tx = Sql | Transaction;
/** Ids are made by the server's clock, times by the database's: they may differ by this. */
const CLOCK_SLACK_MS = 300_000;
const BOTTOM = "00000000-0000-0000-0000-000000000000";
const TOP = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const prepared = { prepare: true };

export async function searchStep(sql: Tx, question: Question, step: Step): Promise<Found> {
  const range = rangeOf(question.criteria, step);
  const source = sourceOf(question);
  const needsState = asksState(question.criteria);
  const limit = needsState ? step.chunk : step.want;
  const place = { ...range, direction: step.direction, chunk: step.chunk, limit };
  const found =
    source.kind === "all"
      ? await walkJobs(sql, question, place)
      : await walkIds(sql, question, source, place);
  if (!needsState || found.hits.length === 0) return found;
  const passing = await passingState(sql, question, found.hits);
  const hits = found.hits.filter(({ id }) => passing.has(id)).slice(0, step.want);
  return { ...found, hits };
}

export interface Place {
  /** Ids between these, without them. */
  above: string;
  below: string;
  direction: Direction;
  chunk: number;
  limit: number;
}

function rangeOf(criteria: Criteria, { direction, from }: Step) {
  const created = createdRange(criteria);
  const edge = (ms: number | null, otherwise: string, slack: number) =>
    ms === null ? otherwise : smallestId(Math.min(Math.max(0, ms + slack), 2 ** 48 - 1));
  const above = edge(created.from, BOTTOM, -CLOCK_SLACK_MS);
  const below = edge(created.to, TOP, CLOCK_SLACK_MS);
  if (from === null) return { above, below };
  if (direction === "older") return { above, below: from < below ? from : below };
  return { above: from > above ? from : above, below };
}

function sourceOf({ criteria, isWhole }: Question): Source {
  const wanted = criteria.all.filter(({ not }) => !not);
  for (const { any } of wanted) {
    if (any[0]?.on === "id")
      return { kind: "ids", ids: any.map((test) => (test as { is: string }).is) };
  }
  const flow = wanted.find(isOneWorkflow);
  if (flow) return { kind: "workflow", id: (flow.any[0] as { is: string }).is };
  if (asksLeasedOnly(criteria)) return { kind: "leased" };
  return { kind: isWhole && asksLiveOnly(criteria) ? "live" : "all" };
}

function isOneWorkflow({ not, any }: Criterion): boolean {
  const [test] = any;
  return !not && any.length === 1 && test?.on === "workflow" && timeOfId(test.is) !== null;
}

/** What its source answers by itself need not be asked of each job again. */
function without(criteria: Criteria, { kind }: Source): Criteria {
  if (kind !== "workflow") return criteria;
  const at = criteria.all.findIndex(isOneWorkflow);
  return { all: criteria.all.filter((_, place) => place !== at) };
}

const NAMES = "join job_name n on n.id = j.name_id join queue q on q.id = j.queue_id";

async function walkJobs(sql: Tx, { criteria, orgs }: Question, place: Place): Promise<Found> {
  const binder = new Binder();
  const chunk = chunkOfJobs(binder, criteria, orgs, place);
  const order = place.direction === "older" ? "desc" : "asc";
  const text = `with ${chunk.text},
    hits as materialized (select j.id, j.queue_id from chunk j ${NAMES}
      where true ${jobConditions(criteria, binder)}
      order by j.id ${order} limit ${binder.add(place.limit)}::int)
    select ${chunk.scanned} as scanned, ${chunk.last} as last,
      array(select id::text from hits order by id ${order}) as ids,
      array(select queue_id from hits order by id ${order}) as queues`;
  const [row] = await sql.unsafe(text, binder.params, prepared);
  const ids = (row?.ids ?? []) as string[];
  const queues = (row?.queues ?? []) as number[];
  return {
    hits: ids.map((id, at) => ({ id, queue: queues[at]! })),
    scanned: (row?.scanned as number | undefined) ?? 0,
    last: (row?.last as string | null | undefined) ?? null,
  };
}

/** Two statements: that of the jobs is planned for the days of their ids alone. */
async function walkIds(
  sql: Tx,
  { criteria, orgs }: Question,
  source: Exclude<Source, { kind: "all" }>,
  place: Place,
): Promise<Found> {
  const ids = await idsOf(sql, source, orgs, place);
  if (ids.length === 0) return { hits: [], scanned: 0, last: null };
  const last = ids.length < place.chunk ? null : ids.at(-1)!;
  const binder = new Binder();
  const among = `j.id = any(${binder.add(plainArray(ids))}::uuid[])`;
  const own = orgs === "all" ? "" : `and j.org_id = any(${binder.add(plainArray(orgs))}::int[])`;
  const rows = await sql.unsafe(
    `select j.id::text as id, j.queue_id as queue from job j ${NAMES}
     where ${among} ${own} ${jobConditions(without(criteria, source), binder)}
     order by j.id ${place.direction === "older" ? "desc" : "asc"}
     limit ${binder.add(place.limit)}::int`,
    binder.params,
    prepared,
  );
  return { hits: rows as unknown as Hit[], scanned: ids.length, last };
}

/**
 * Those whose state, worker, end, attempts and error are as asked. Ends are looked for from the day of
 * the oldest on, so that a plan leaves the other days out.
 */
async function passingState(
  sql: Tx,
  { criteria, now }: Question,
  hits: readonly Hit[],
): Promise<Set<string>> {
  const binder = new Binder();
  const ids = hits.map(({ id }) => id);
  const list = `${binder.add(plainArray(ids))}::uuid[]`;
  const oldest = [...ids].sort()[0]!;
  const at = (ms: number) => `${binder.add(new Date(ms).toISOString())}::timestamptz`;
  const from = at(Math.max(0, (timeOfId(oldest) ?? 0) - CLOCK_SLACK_MS));
  const to = at(now + CLOCK_SLACK_MS);
  const rows = await sql.unsafe(
    `with s as materialized (
       select l.id, l.state, l.worker_id, l.attempt, l.last_error as error,
         null::timestamptz as finished_at
       from live_job l where l.id = any(${list})
       union all
       select e.job_id, e.state, e.worker_id, e.attempt, e.error, e.finished_at
       from job_end e where e.job_id = any(${list}) and e.finished_at between ${from} and ${to})
     select s.id::text as id from s left join worker w on w.id = s.worker_id
     where true ${stateConditions(criteria, binder)}`,
    binder.params,
    prepared,
  );
  return new Set(rows.map((row) => row.id as string));
}
