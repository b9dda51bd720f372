/** Every target of the ten panels, beside the same figure of the board. */
import { PANELS } from "../../../deploy/grafana/panels.ts";
import { DURATION_BANDS } from "../../../src/core/metrics/catalogue.ts";
import { RUN_SECONDS } from "../../../src/engine/background/run_tally.ts";
import { boardSums, boardTable, type Row } from "./board_tables.ts";
import type { Sample, Scraper } from "./scraper.ts";

/** Told of each comparison: null, or what is wrong. */
export type Count = (name: string, fault: string | null) => void;

export interface Compared {
  port: number;
  scraper: Scraper;
  /** Of the names table. */
  row: Row;
  waiting: Row;
  /** Runs of each kind that ended before the range began, and what each counted. */
  before: { succeeded: number; failed: number };
  items: Readonly<Record<"success" | "failed" | "skipped", number>>;
  /** Of the range, which ends now. */
  seconds: number;
}

/** As Grafana does it, of everything. */
export function filled(expr: string, seconds: number): string {
  return expr
    .replaceAll("$__range_s", String(seconds))
    .replaceAll("$__range", `${seconds}s`)
    .replaceAll("$__rate_interval", `${seconds}s`)
    .replaceAll(/\$(organization|job_name)\b/g, ".*");
}

type Check = (found: readonly Sample[]) => string | null;

export async function panels(of: Compared, count: Count): Promise<void> {
  const checks = await checksOf(of);
  for (const { title, targets } of PANELS) {
    for (const { refId, expr } of targets) {
      const name = `panel "${title}", ${refId}`;
      const check = checks[`${title} ${refId}`];
      if (check === undefined) count(name, "nothing says what it has to tell");
      else {
        const asked = of.scraper.query(filled(expr, of.seconds));
        count(name, await asked.then(check).catch((error: Error) => error.message));
      }
    }
  }
}

async function checksOf(of: Compared): Promise<Record<string, Check>> {
  const { port, row, before, items, seconds } = of;
  const [status, rates, counted, heat] = await Promise.all(
    ["status", "rates", "items", "heat"].map((chart) => boardSums(port, chart)),
  );
  const first = before.succeeded + before.failed;
  const minutes = seconds / 60;
  const runs = (line: number | undefined, less: number): Check =>
    one((told) => near(told * minutes, (line ?? Number.NaN) - less, 1));
  const share = (n: number, all: number): Check => one((told) => near(told, n / all, 1 / all));
  const good = Number(row.succeeded) - before.succeeded;
  const bad = Number(row.failed) - before.failed;
  const done = (status: keyof typeof items, line: string): Check => {
    const right = counted![line]! - first * items[status];
    return (found) =>
      one((told) => near(told * minutes, right, items[status]))(
        found.filter(({ metric }) => metric.status === status),
      );
  };
  const p = (column: string): Check => one((told) => sameBucket(told, Number(row[column]) / 1_000));
  const since: Check = (found) => sameMoment(named(found), Date.parse(String(row.last_success_at)));
  return {
    "Job Execution Status Overview A": runs(status!.Succeeded, before.succeeded),
    "Job Execution Status Overview B": runs(status!.Failed, before.failed),
    "Job Success Rate (%) A": share(good, good + bad),
    "Job Queue Sizes A": (found) => same(named(found, "waits"), of.waiting.queue),
    "Job Execution Rate by Job A": runs(rates!.sync, before.succeeded),
    "Job Execution Rate by Job B": runs(rates!["sync (failed)"], before.failed),
    "Job Duration (P95) by Job A": p("p95_ms"),
    "Job Duration (P95) by Job B": p("p50_ms"),
    "Time Since Last Successful Run A": since,
    "Items Processed Rate by Job A": all(
      done("success", "sync done"),
      done("failed", "sync failed"),
      done("skipped", "sync skipped"),
    ),
    "Job Failure Rate by Job A": all(
      share(bad, good + bad),
      await failureBar(port, { good, bad }, before),
    ),
    "Job Execution Heatmap A": heatCheck(heat!, first),
    "Job Execution Details Table A": runs(Number(row.succeeded), before.succeeded),
    "Job Execution Details Table B": runs(Number(row.failed), before.failed),
    "Job Execution Details Table C": p("p95_ms"),
    "Job Execution Details Table D": since,
  };
}

/** The bar tells of all runs what was counted of them. */
async function failureBar(
  port: number,
  { good, bad }: { good: number; bad: number },
  before: Compared["before"],
): Promise<Check> {
  const [bar] = (await boardTable(port, "failures")).filter((row) => row[""] === "sync");
  const told = Object.values(bar ?? {}).find((cell) => typeof cell === "number");
  const failed = bad + before.failed;
  const right = (100 * failed) / (failed + good + before.succeeded);
  return () => near(Number(told ?? Number.NaN), right, 0.01);
}

/** Both know how many runs took less than each limit that they share; the first ones took no time. */
function heatCheck(bands: Record<string, number>, first: number): Check {
  const counts = Object.values(bands);
  return (found) => {
    for (const [at, ms] of DURATION_BANDS.entries()) {
      if (!(RUN_SECONDS as readonly number[]).includes(ms / 1_000)) continue;
      const shorter = counts.slice(0, at + 1).reduce((sum, n) => sum + n, 0) - first;
      const cell = found.find(({ metric }) => Number(metric.le) === ms / 1_000);
      const fault = near(Number(cell?.value[1] ?? Number.NaN), shorter, 1);
      if (fault !== null) return `up to ${ms / 1_000} s: ${fault}`;
    }
    return null;
  };
}

const all =
  (...checks: Check[]): Check =>
  (found) =>
    checks.map((check) => check(found)).find((fault) => fault !== null) ?? null;

/** Of the job, or of the only series that there is. */
function named(found: readonly Sample[], name = "sync"): Sample | undefined {
  return found.find(({ metric }) => (metric.job_name ?? name) === name);
}

function one(check: (told: number) => string | null): Check {
  return (found) => check(Number(named(found)?.value[1] ?? Number.NaN));
}

function same(told: Sample | undefined, native: unknown): string | null {
  const value = told === undefined ? undefined : Number(told.value[1]);
  return value === native ? null : `Prometheus tells ${value}, the board ${native}`;
}

/** Within 5 %, or one run. */
export function near(told: number, right: number, one: number): string | null {
  const isNear = Math.abs(told - right) <= Math.max(0.05 * right, one);
  return isNear ? null : `Prometheus tells ${told}, and it is ${right}`;
}

/** What is interpolated within a bucket may be anywhere in it. */
function sameBucket(told: number, right: number): string | null {
  const bucket = (seconds: number) => RUN_SECONDS.findIndex((limit) => seconds <= limit);
  const isSame = told >= 0 && bucket(told) === bucket(right);
  return isSame ? null : `Prometheus tells ${told} s, the board ${right} s: another bucket`;
}

/** Minutes since a moment, as of the look. */
function sameMoment(told: Sample | undefined, at: number): string | null {
  if (told === undefined) return "no data";
  const moment = (told.value[0] - Number(told.value[1]) * 60) * 1_000;
  const isSame = Math.abs(moment - at) <= 2;
  return isSame
    ? null
    : `Prometheus tells of ${new Date(moment).toISOString()}, the board of ${at}`;
}
