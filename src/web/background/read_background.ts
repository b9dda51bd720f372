/**
 * Everything that is told of background jobs over a span, for whoever asks: read by rollups and bounded
 * reads of indexes, no statement of more than `ROWS_MAX` rows.
 */
import { figuresOf, type JobFigures } from "../../core/background/figures.ts";
import { type Expectation, type Staleness, stalenessOf } from "../../core/background/staleness.ts";
import { OWN_INTERVALS, SYSTEM_ORG_ID } from "../../core/background/system_org.ts";
import { countBuckets, ROWS_MAX } from "../../core/metrics/buckets.ts";
import { knownMetric } from "../../core/metrics/catalogue.ts";
import type { Coverage } from "../../core/metrics/series.ts";
import type { TimeRange } from "../../core/metrics/time_range.ts";
import type { Scope } from "../../core/scope.ts";
import { coverageFor } from "../metrics/coverage.ts";
import type { MetricFilter } from "../metrics/metric_filter.ts";
import type { GroupedCell } from "../metrics/read_cells.ts";
import { aligned, readLooks, type SeriesDeps, type Span } from "../metrics/read_series.ts";
import { recallCells } from "../metrics/recall_cells.ts";
import { type NameRow, readNames, recentNames, toldNames, waitingNames } from "./candidates.ts";
import { idsOfNames, readScheduled, type Scheduled } from "./expectations.ts";
import { readQueueSizes } from "./queues.ts";
import {
  type CellSource,
  cellsByName,
  groupsOf,
  namesWithin,
  type RunCells,
  readRunCells,
  readRunSums,
  roughRuns,
  totalsOf,
} from "./run_cells.ts";
import { askedNames, type Whose } from "./whose.ts";

export interface BackgroundName extends NameRow {
  expectation: Expectation;
  staleness: Staleness;
  figures: JobFigures;
}

export interface Background {
  range: TimeRange;
  /** Whole buckets. */
  span: Span;
  covered: Coverage;
  /** How much of the span the rollups tell of. */
  knownMs: number;
  /** All that is asked for, shown or not. */
  overall: { cells: RunCells; figures: JobFigures };
  /** Those with a schedule first, and of these the most overdue; then the busiest. */
  names: BackgroundName[];
  /** Names that there are, as far as they were looked for. */
  found: number;
  /** The busiest of them, drawn as lines. */
  drawn: { names: BackgroundName[]; cells: RunCells };
  queues: { names: BackgroundName[]; cells: GroupedCell[]; looks: ReadonlyMap<number, number> };
  hasAllSchedules: boolean;
}

/** Names that a page shows; more are neither read nor found by eye. */
export const NAMES_MAX = 40;
/** Lines that are told apart in a chart. */
export const LINES_MAX = 6;
/** Whoever ran so long ago, and has no schedule, is not expected any more. */
const GONE_MS = 7 * 86_400_000;

type Ask = { filter: MetricFilter; range: TimeRange; now: number };

export async function readBackground(
  deps: SeriesDeps,
  scope: Scope,
  { filter, range: asked, now }: Ask,
): Promise<Background> {
  const whose = await askedNames(deps, scope, filter, asked);
  const span = aligned(whose.range);
  const covered = await coverageFor(deps, span.granularity, span);
  const source = { reads: deps.reads, covered };
  const [cells, chosen] = await Promise.all([
    readRunCells(source, whose.overall, span),
    chooseNames(source, whose, { filter, span, now }),
  ]);
  const knownMs = Math.max(
    0,
    Math.min(span.to, covered.to, now) -
      Math.max(span.from, covered.from ?? Number.POSITIVE_INFINITY),
  );
  const none = { queue: null, queueBefore: null };
  const overall = { cells, figures: figuresOf(totalsOf(cells), knownMs, none) };
  const names = await withFigures(source, chosen.shown, { span, knownMs, now });
  const [drawn, queues] = await Promise.all([
    drawnNames(source, names, span),
    drawnQueues(source, names, span),
  ]);
  return {
    ...{ range: whose.range, span, covered, knownMs, overall, names, drawn, queues },
    ...{ found: chosen.found, hasAllSchedules: chosen.hasAllSchedules },
  };
}

type Judged = NameRow & Pick<BackgroundName, "expectation" | "staleness">;

async function chooseNames(
  source: CellSource,
  { orgs, ids }: Whose,
  { filter, span, now }: { filter: MetricFilter; span: Span; now: number },
): Promise<{ shown: Judged[]; found: number; hasAllSchedules: boolean }> {
  const { reads } = source;
  const asked = { orgs, ids };
  const [{ scheduled, isWhole }, recent, waiting, told] = await Promise.all([
    readScheduled(reads, orgs, filter.name),
    recentNames(reads, asked, Math.min(span.from, now - GONE_MS)),
    waitingNames(reads, asked),
    toldNames(reads, asked),
  ]);
  const scheduledIds = await idsOfNames(reads, scheduled);
  const all = new Set([...scheduledIds.values(), ...recent, ...waiting, ...told]);
  const rows = await readNames(reads, orgs, [...all]);
  const expected = new Map(scheduled.map((one) => [`${one.org} ${one.name}`, one]));
  const judged = await judgeNames(rows, expected, now);
  const runs = await roughRuns(source, rows, span);
  const rank = ({ staleness: { judgement } }: Judged) => ["bad", "warning"].indexOf(judgement);
  const isExpected = (one: Judged) => one.expectation.kind === "scheduled" || one.told !== null;
  const order = (one: Judged) => (isExpected(one) ? (rank(one) < 0 ? 2 : rank(one)) : 3);
  judged.sort(
    (a, b) =>
      order(a) - order(b) ||
      (runs.get(b.id) ?? 0) - (runs.get(a.id) ?? 0) ||
      a.name.localeCompare(b.name),
  );
  return {
    shown: judged.slice(0, Math.min(NAMES_MAX, namesWithin(span))),
    found: judged.length,
    hasAllSchedules: isWhole,
  };
}

/** Names whose due times are computed in one go, while nobody else is served. */
const AT_ONCE = 10;

async function judgeNames(
  rows: readonly NameRow[],
  scheduled: ReadonlyMap<string, Scheduled>,
  now: number,
): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const [at, row] of rows.entries()) {
    if (at % AT_ONCE === AT_ONCE - 1) await new Promise((next) => setImmediate(next));
    const expectation = scheduled.get(`${row.org} ${row.name}`)?.expectation ?? ownExpectation(row);
    judged.push({ ...row, expectation, staleness: stalenessOf(expectation, row, now) });
  }
  return judged;
}

function ownExpectation({ org, name, runAt, successAt, told }: NameRow): Expectation {
  if (told !== null) return { kind: "told", ...told };
  if (org !== SYSTEM_ORG_ID) return { kind: "unknown" };
  const intervalSeconds = OWN_INTERVALS[name];
  if (intervalSeconds === undefined) return { kind: "as_needed" };
  const since = successAt ?? runAt ?? 0;
  return { kind: "told", intervalSeconds, graceSeconds: null, since };
}

async function withFigures(
  source: CellSource,
  shown: readonly Judged[],
  { span, knownMs, now }: { span: Span; knownMs: number; now: number },
): Promise<BackgroundName[]> {
  if (shown.length === 0) return [];
  const [cells, queues] = await Promise.all([
    readRunSums(source, groupsOf(shown), span),
    readQueueSizes(source.reads, shown, now),
  ]);
  const cellsOf = cellsByName(cells);
  return shown.map((one) => {
    const isOwn = one.org === SYSTEM_ORG_ID;
    const queue = isOwn ? null : (queues.now.get(one.id) ?? 0);
    const queueBefore = isOwn || queues.before === null ? null : (queues.before.get(one.id) ?? 0);
    const totals = totalsOf(cellsOf(one.id));
    return { ...one, figures: figuresOf(totals, knownMs, { queue, queueBefore }) };
  });
}

function linesWithin({ granularity, from, to }: Span): number {
  return Math.min(
    LINES_MAX,
    Math.floor(ROWS_MAX / Math.max(1, countBuckets(granularity, from, to))),
  );
}

async function drawnNames(source: CellSource, names: readonly BackgroundName[], span: Span) {
  const busiest = names
    .filter((one) => one.figures.runs > 0)
    .sort((a, b) => b.figures.runs - a.figures.runs)
    .slice(0, linesWithin(span));
  return { names: busiest, cells: await readRunCells(source, groupsOf(busiest), span) };
}

/** Those of which most waited at once. */
async function drawnQueues(source: CellSource, names: readonly BackgroundName[], span: Span) {
  const { reads, covered } = source;
  const metrics = [knownMetric("jobs.pending").id];
  const read = (some: readonly BackgroundName[], of: Span) =>
    recallCells(reads, { ...of, metrics, ids: groupsOf(some), histograms: false }, covered);
  const width = span.granularity === "minute" ? { ...span, granularity: "hour" as const } : span;
  const rough = await read(names.slice(0, linesOf(width)), width);
  const most = new Map<number, number>();
  for (const { name, most: n } of rough) most.set(name, Math.max(most.get(name) ?? 0, n ?? 0));
  const longest = names
    .filter((one) => (most.get(one.id) ?? one.figures.queue ?? 0) > 0)
    .sort((a, b) => (most.get(b.id) ?? 0) - (most.get(a.id) ?? 0))
    .slice(0, linesWithin(span));
  const [cells, looks] = await Promise.all([read(longest, span), readLooks(source, span, covered)]);
  return { names: longest, cells, looks };
}

/** Names side by side, a bucket each, within the rows of one statement. */
function linesOf({ granularity, from, to }: Span): number {
  return Math.floor(ROWS_MAX / Math.max(1, countBuckets(granularity, from, to)));
}
