/** Rollups as JSON: which metrics there are, and what they were over time. */
import { z } from "zod";
import { BUCKET_MS, bucketStart, countBuckets, GRANULARITIES } from "../../core/metrics/buckets.ts";
import { CATALOGUE, DIMENSIONS, type Dimension, metricOf } from "../../core/metrics/catalogue.ts";
import { ERROR } from "../../core/metrics/histogram.ts";
import type { Point } from "../../core/metrics/series.ts";
import { memberNames } from "../../web/metrics/member_names.ts";
import { readSeries, readSplit } from "../../web/metrics/read_series.ts";
import { listOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { ApiProblem } from "../problem.ts";
import { invalid } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { problemOf } from "./refused.ts";

const tag = "Metrics";

const metric = z
  .object({
    key: z.string(),
    kind: z.enum(["counter", "distribution", "gauge"]),
    unit: z.string(),
    dimensions: z
      .array(z.array(z.enum(DIMENSIONS)))
      .describe("Sets that can be asked for together"),
    definition: z.string(),
    source: z.string().nullable().describe("Null: nothing writes it yet"),
    superusers_only: z.boolean().describe("From one organization's figure others' can be told"),
  })
  .meta({ id: "Metric" });

const catalogue = CATALOGUE.map(({ key, kind, unit, groupings, definition, source, only }) => ({
  ...{ key, kind, unit, definition, source, superusers_only: only !== undefined },
  dimensions: groupings.map((one) => (one === "" ? [] : (one.split(",") as Dimension[]))),
}));

const catalog = route({
  method: "get",
  path: "/metrics/catalog",
  tag,
  summary: "Every metric that is kept over time, and what it means",
  forStrangers: true,
  answers: {
    200: {
      description: "The catalogue",
      schema: listOf(metric).extend({
        percentile_error: z.number().describe("Greatest relative error of p50, p95 and p99"),
      }),
    },
  },
  handle: () => ok({ items: catalogue, next_cursor: null, percentile_error: ERROR }),
});

const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const name = (max: number) => z.string().min(1).max(max).optional();

/** Buckets of one answer. */
const BUCKETS_MAX = 5_000;
/** Buckets where `from` is not said. */
const BUCKETS_DEFAULT = { minute: 60, hour: 24, day: 30, week: 26 };
/** Members of a split; the rest are added up. */
const MEMBERS_MAX = 20;

const query = z.strictObject({
  metric: z.string().max(100),
  granularity: z.enum(GRANULARITIES).default("hour"),
  from: moment
    .optional()
    .describe("60 minutes, 24 hours, 30 days or 26 weeks before `to`, unless said"),
  to: moment.optional().describe("Now, unless said"),
  org: name(63),
  queue: name(63),
  name: name(128),
  worker: z.uuid().optional(),
  group_by: z.enum(DIMENSIONS).optional(),
});
type Query = z.output<typeof query>;

const figure = z.number().nullable();
const point = z
  .object({
    bucket_start: z.iso.datetime(),
    group: z.string().nullable().optional().describe("With `group_by`; null: all others"),
    count: figure.describe("0: nothing happened. Null: nothing is known of this bucket."),
    ...{
      sum: figure,
      min: figure,
      max: figure,
      avg: figure,
      p50: figure,
      p95: figure,
      p99: figure,
    },
    complete: z.boolean().describe("False while the bucket runs, or events of it may be missing"),
  })
  .meta({ id: "MetricPoint" });

const series = route({
  method: "get",
  path: "/metrics/query",
  tag,
  summary: "A metric over time, zero-filled",
  description:
    "Buckets are whole and aligned in UTC. Only kept sets of dimensions can be asked for (see the catalogue).",
  query,
  forStrangers: true,
  answers: {
    200: {
      description: "Points in order of time, of each group one after the other",
      schema: z.object({
        metric: z.string(),
        unit: z.string(),
        granularity: z.enum(GRANULARITIES),
        covered_from: z.iso.datetime().nullable().describe("Before it nothing is known"),
        covered_to: z.iso.datetime().describe("After it events may be missing"),
        points: z.array(point),
      }),
    },
  },
  handle: async ({ query: asked, caller, deps }) => ok(await answer(asked, caller, deps)),
});

async function answer(asked: Query, caller: Caller, deps: ApiDeps) {
  const known = metricOf(asked.metric);
  if (known === undefined) {
    throw new ApiProblem(
      "not_found",
      `There is no metric ${asked.metric}: GET /api/v1/metrics/catalog lists them.`,
    );
  }
  const { granularity } = asked;
  const ask = { granularity, ...spanOf(asked, deps.engine.now()), group: groupOf(asked) };
  const source = {
    reads: deps.database.reads,
    directory: deps.directory,
    kept: deps.engine.keeping.retention,
  };
  try {
    const read = asked.group_by
      ? await splitPoints(source, caller, { ...ask, metric: known.key, by: asked.group_by })
      : await plainPoints(source, caller, { ...ask, metrics: [known.key] });
    return {
      ...{ metric: known.key, unit: known.unit, granularity: asked.granularity },
      covered_from: read.covered.from === null ? null : iso(read.covered.from),
      covered_to: iso(read.covered.to),
      points: read.points,
    };
  } catch (error) {
    throw problemOf(error);
  }
}

type Source = Parameters<typeof readSeries>[0];

async function plainPoints(source: Source, caller: Caller, ask: Parameters<typeof readSeries>[2]) {
  const [read] = await readSeries(source, caller.scope, ask);
  return { covered: read!.covered, points: read!.points.map((one) => pointView(one)) };
}

async function splitPoints(
  source: Source,
  caller: Caller,
  ask: Omit<Parameters<typeof readSplit>[2], "most">,
) {
  const { series: split, covered } = await readSplit(source, caller.scope, {
    ...ask,
    most: MEMBERS_MAX,
  });
  const names = await memberNames(
    source.reads,
    ask.by,
    split.map((one) => one.id),
  );
  const points = split.flatMap(({ id, points: own }) =>
    own.map((one) => ({ ...pointView(one), group: names.get(id) ?? null })),
  );
  return { covered, points };
}

function groupOf({ org, queue, name: job, worker }: Query) {
  return { org, queue, name: job, worker };
}

function spanOf({ granularity, from, to }: Query, now: number): { from: number; to: number } {
  const end = to ?? now;
  const width = BUCKET_MS[granularity];
  const start = from ?? bucketStart(granularity, end) - (BUCKETS_DEFAULT[granularity] - 1) * width;
  if (start >= end) throw invalid([{ path: "from", in: "query", message: "must be before `to`" }]);
  const buckets = countBuckets(granularity, start, end);
  if (buckets <= BUCKETS_MAX) return { from: start, to: end };
  const message = `${buckets} buckets are more than ${BUCKETS_MAX}: ask for a shorter time or a coarser granularity`;
  throw invalid([{ path: "from", in: "query", message }]);
}

function pointView({ bucket, least, most, isRunning, ...figures }: Point) {
  const { count, sum, avg, p50, p95, p99 } = figures;
  return {
    bucket_start: iso(bucket),
    ...{ count, sum, min: least, max: most, avg, p50, p95, p99 },
    complete: !isRunning,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export const rollupRoutes: readonly Route[] = [catalog, series];
