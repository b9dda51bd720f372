/**
 * What rollups must hold, worked out from the raw rows one by one: nothing of the statements under test is
 * used, only the catalogue's ids and the histogram's bins.
 */
import type postgres from "postgres";
import { SYSTEM_ORG_ID } from "../../../src/core/background/system_org.ts";
import { bucketStart, GRANULARITIES, type Granularity } from "../../../src/core/metrics/buckets.ts";
import {
  CATALOGUE,
  DURATION_BAND_KEYS,
  DURATION_BANDS,
  type Grouping,
  metricOf,
} from "../../../src/core/metrics/catalogue.ts";
import { histogramOf } from "../../../src/core/metrics/histogram.ts";
import { RULES } from "../../../src/core/scoring/score.ts";

export interface Happening {
  metric: string;
  at: number;
  org: number;
  queue: number;
  name: number;
  worker: number | null;
  value: number | null;
}

export interface Expected {
  count: number;
  sum: number;
  min: number | null;
  max: number | null;
  bins: number[];
  hits: number[];
}

const COUNTED: Record<string, string> = {
  dispatched: "jobs.dispatched",
  succeeded: "jobs.succeeded",
  failed: "jobs.failed",
  dependency_failed: "jobs.dependency_failed",
  cancelled: "jobs.cancelled",
};
const WAITED: Record<string, string> = {
  ready: "deps.wait_ms",
  dispatched: "dispatch.wait_ms",
  running: "start.latency_ms",
};

/** Everything that any metric counts, one by one. */
export async function happenings(sql: postgres.Sql): Promise<Happening[]> {
  const all: Happening[] = [];
  const names = await sql<{ id: number; counted: boolean }[]>`select id, counted from job_name`;
  const counted = new Map(names.map((row) => [row.id, row.counted]));
  const placeOf = (row: postgres.Row) => ({
    org: row.org_id as number,
    queue: row.queue_id as number,
    name: counted.get(row.name_id) === false ? -1 : (row.name_id as number),
    worker: row.worker_id as number | null,
  });
  for (const row of await sql`select * from phase_event`) {
    const add = (metric: string, value: number | null = null) =>
      all.push({ metric, at: row.at.getTime(), ...placeOf(row), value });
    if (row.from_state === row.state) continue;
    if (row.state === "queued") add(row.from_state === "created" ? "jobs.created" : "jobs.retried");
    if (COUNTED[row.state]) add(COUNTED[row.state]!);
    if (row.outcome === "lost") add("jobs.lost");
    if (row.since && WAITED[row.state])
      add(WAITED[row.state]!, row.at.getTime() - row.since.getTime());
  }
  const batches = new Set(
    (await sql`select job_id, attempt from workflow_batch`).map((b) => `${b.job_id}/${b.attempt}`),
  );
  const attempts = await sql`
    select d.*, k.terms, k.terms_each from dispatched_job d left join decision k on k.beat = d.beat`;
  for (const row of attempts) {
    const add = (metric: string, value: number | null = null) =>
      all.push({ metric, at: row.ended_at.getTime(), ...placeOf(row), value });
    if (row.outcome === "succeeded" && row.run_ms !== null) {
      add("jobs.duration_ms", row.run_ms);
      const band = DURATION_BANDS.filter((limit) => row.run_ms >= limit).length;
      add(DURATION_BAND_KEYS[band]!);
    }
    if (isFailedRun(row)) {
      add("runs.failed");
      if (row.run_ms !== null) add("runs.failed_ms", row.run_ms);
    }
    addItems(row, add);
    if (row.peak_ram_mb !== null) add("usage.peak_ram_mb", row.peak_ram_mb);
    if (row.cpu_ms !== null) add("usage.cpu_ms", row.cpu_ms);
    if (row.disk_read_bytes !== null || row.disk_write_bytes !== null) {
      add("usage.disk_bytes", Number(row.disk_read_bytes ?? 0) + Number(row.disk_write_bytes ?? 0));
    }
    if (row.network_mbps !== null) add("usage.network_mbps", row.network_mbps);
    if (batches.has(`${row.job_id}/${row.attempt}`)) {
      if (row.state_after === "succeeded") add("evals.completed");
      if (["failed", "cancelled"].includes(row.state_after)) add("evals.failed");
    }
    if (row.score !== null) add("score.total", row.score);
    const from = (row.beat_place - 1) * row.terms_each;
    for (const [at, rule] of RULES.entries()) add(`score.${rule.name}`, row.terms[from + at]);
  }
  for (const row of await sql`select * from maintenance_run`) {
    const place = { org: SYSTEM_ORG_ID, queue: 0, name: row.name_id, worker: null };
    const add = (metric: string, value: number | null = null) =>
      all.push({ metric, at: row.ended_at.getTime(), ...place, value });
    const isGood = row.outcome === "succeeded";
    add(isGood ? "jobs.succeeded" : "runs.failed");
    add(isGood ? "jobs.duration_ms" : "runs.failed_ms", row.run_ms);
    addItems(row, add);
  }
  return all;
}

export function isFailedRun({ outcome, started_at }: postgres.Row): boolean {
  if (outcome === "lost") return started_at !== null;
  return outcome === "failed" || outcome === "timed_out";
}

function addItems(row: postgres.Row, add: (metric: string, value: number) => void): void {
  for (const one of ["success", "failed", "skipped"]) {
    const told = row[`items_${one}`];
    if (told !== null) add(`items.${one}`, Number(told));
  }
}

const KEY: Record<Grouping, (h: Happening) => string | null> = {
  "": () => "0/0/0/0",
  org: (h) => `${h.org}/0/0/0`,
  "org,queue": (h) => `${h.org}/${h.queue}/0/0`,
  "org,name": (h) => `${h.org}/0/${h.name}/0`,
  worker: (h) => (h.worker === null ? null : `0/0/0/${h.worker}`),
};

/** By `granularity metric group bucket`. */
export function exactRollups(all: readonly Happening[]): Map<string, Expected> {
  const values = new Map<string, Happening[]>();
  for (const one of all) {
    for (const grouping of metricOf(one.metric)!.groupings) {
      const group = KEY[grouping](one);
      const isOwn = one.org === SYSTEM_ORG_ID;
      if (group === null || (isOwn && grouping !== "org" && grouping !== "org,name")) continue;
      for (const granularity of GRANULARITIES) {
        const bucket = new Date(bucketStart(granularity, one.at)).toISOString();
        const key = `${granularity} ${one.metric} ${group} ${bucket}`;
        const known = values.get(key);
        if (known) known.push(one);
        else values.set(key, [one]);
      }
    }
  }
  return new Map([...values].map(([key, some]) => [key, expectedOf(some)]));
}

function expectedOf(some: readonly Happening[]): Expected {
  const values = some.flatMap((one) => (one.value === null ? [] : [one.value]));
  const { bins, hits } = histogramOf(values, metricOf(some[0]!.metric)!.binWidth);
  return {
    count: some.length,
    sum: values.reduce((total, value) => total + value, 0),
    min: values.length > 0 ? Math.min(...values) : null,
    max: values.length > 0 ? Math.max(...values) : null,
    ...{ bins: [...bins], hits: [...hits] },
  };
}

const EVENTFUL = new Set(
  CATALOGUE.filter((metric) => metric.kind !== "gauge").map((metric) => metric.key),
);

/** What is stored, without gauges, by the same keys. */
export async function storedRollups(
  sql: postgres.Sql,
  only: readonly Granularity[] = GRANULARITIES,
): Promise<Map<string, Expected>> {
  const rows = await sql`select * from metric_rollup where granularity = any(${only as string[]})`;
  const own = rows.filter((row) => EVENTFUL.has(row.metric));
  return new Map(
    own.map((row) => {
      const group = [row.org_id, row.queue_id, row.name_id, row.worker_id].join("/");
      const key = `${row.granularity} ${row.metric} ${group} ${row.bucket_start.toISOString()}`;
      const { count, sum, min, max, bins, hits } = row;
      const histogram = { bins: bins ?? [], hits: (hits ?? []).map(Number) };
      return [key, { count: Number(count), sum, min, max, ...histogram }];
    }),
  );
}
