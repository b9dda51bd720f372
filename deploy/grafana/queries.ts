/**
 * What the panels ask Prometheus. Counts are `increase()` over the whole range that is shown, so that a ratio is of
 * runs and not of rates, and a job that runs every six hours has a figure; nothing is divided by a made-up least,
 * so that "nothing ran" stays "no data". All are sums by organization and name, whatever server counted.
 */
const CHOSEN = 'organization=~"$organization", job_name=~"$job_name"';
const BY = "by (organization, job_name)";
const RANGE = "$__range";
/** Long enough for two scrapes, whatever the step: no run falls between two windows. */
const STEP = "$__rate_interval";

const of = (metric: string, more = "") => `${metric}{${CHOSEN}${more === "" ? "" : `, ${more}`}}`;
const runs = (status?: string) =>
  of("job_execution_total", status === undefined ? "" : `status="${status}"`);
const perMinute = (sum: string) => `${sum} / ($__range_s / 60)`;
const buckets = of("job_execution_duration_seconds_bucket");
const success = of("job_last_success_timestamp_seconds");

const increased = (series: string, window: string, by = BY) =>
  `sum ${by} (increase(${series}[${window}]))`.replace("  ", " ");
const total = (series: string) => `sum(increase(${series}[${RANGE}]))`;
/** NaN, which is what a window without runs gives, is left out. */
const percentile = (p: number, window: string) =>
  `histogram_quantile(${p}, ${increased(buckets, window, "by (organization, job_name, le)")}) >= 0`;

/** Minutes; -1: it failed, and no run of it has ever ended well. */
const age = `(time() - max ${BY} (${success})) / 60`;
const never = `(0 * sum ${BY} (${runs("failed")} > 0) - 1) unless max ${BY} (${success})`;

export const QUERIES = {
  successesPerMinute: perMinute(total(runs("success"))),
  failuresPerMinute: perMinute(total(runs("failed"))),
  successRate: `${total(runs("success"))} / (${total(runs())} > 0)`,
  queue: `max ${BY} (${of("job_queue_size")})`,
  successes: `60 * sum ${BY} (rate(${runs("success")}[${STEP}]))`,
  failures: `60 * sum ${BY} (rate(${runs("failed")}[${STEP}]))`,
  p95: percentile(0.95, STEP),
  p50: percentile(0.5, STEP),
  sinceSuccess: `${age} or ${never}`,
  items: `60 * sum by (organization, job_name, status) (rate(${of("job_items_processed_total")}[${STEP}]))`,
  failureRate: `${increased(runs("failed"), RANGE)} / (${increased(runs(), RANGE)} > 0)`,
  heat: increased(buckets, STEP, "by (le)"),
  successesOfEach: perMinute(increased(runs("success"), RANGE)),
  failuresOfEach: perMinute(increased(runs("failed"), RANGE)),
  p95OfEach: percentile(0.95, RANGE),
} as const;
