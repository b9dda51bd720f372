/** What `/metrics` would tell, minute by minute, of jobs that exist on paper only: input of `promtool test rules`. */
import { RUN_SECONDS } from "../../src/engine/background/run_tally.ts";

/** What ended within one minute. */
export interface Minute {
  succeeded?: number;
  failed?: number;
  /** What each run took. */
  seconds?: number;
  items?: { success: number; failed: number };
  /** Jobs that wait. */
  queue?: number;
  /** Seconds: how often it is to run, as it is told. Infinite: its schedules are paused. */
  every?: number;
}

export const PAUSED = Number.POSITIVE_INFINITY;

export interface Series {
  series: string;
  values: string;
}

/** As it is told with every interval. */
const GRACE_SECONDS = 120;
/** Those around the limits. Finer ones change no percentile that a rule asks for. */
const BANDS = RUN_SECONDS.filter((seconds) => seconds >= 60 && seconds <= 1_200);

/** `of` a minute from 0 on; the counters stand at 0 first, as after a server's start. */
export function seriesOf(job: string, minutes: number, of: (minute: number) => Minute): Series[] {
  const lines = new Map<string, (number | null)[]>();
  const put = (metric: string, labels: string, value: number | null) => {
    const name = `${metric}{organization="default",job_name="${job}"${labels}}`;
    const values = lines.get(name) ?? [];
    values.push(value);
    lines.set(name, values);
  };
  const sum = { succeeded: 0, failed: 0, good: 0, bad: 0 };
  const bands = [...BANDS, Number.POSITIVE_INFINITY].map((upTo) => ({ upTo, runs: 0 }));
  const at: Record<"success" | "failure" | "since", number | null> = {
    ...{ success: null, failure: null, since: null },
  };
  let before: number | undefined;
  for (let minute = 0; minute <= minutes; minute++) {
    const { succeeded = 0, failed = 0, seconds = 1, items, queue = 0, every } = of(minute);
    sum.succeeded += succeeded;
    sum.failed += failed;
    sum.good += items?.success ?? 0;
    sum.bad += items?.failed ?? 0;
    if (succeeded > 0) at.success = minute * 60;
    if (failed > 0) at.failure = minute * 60;
    if (every !== before) at.since = every === undefined || every === PAUSED ? null : minute * 60;
    before = every;
    for (const band of bands) if (seconds <= band.upTo) band.runs += succeeded + failed;
    put("job_execution_total", ',status="success"', sum.succeeded);
    put("job_execution_total", ',status="failed"', sum.failed);
    for (const { upTo, runs } of bands) {
      const le = Number.isFinite(upTo) ? String(upTo) : "+Inf";
      put("job_execution_duration_seconds_bucket", `,le="${le}"`, runs);
    }
    put("job_items_processed_total", ',status="success"', sum.good);
    put("job_items_processed_total", ',status="failed"', sum.bad);
    put("job_last_success_timestamp_seconds", "", at.success);
    put("job_last_failure_timestamp_seconds", "", at.failure);
    put("job_expected_interval_seconds", "", every ?? null);
    put("job_expected_grace_seconds", "", every === undefined ? null : GRACE_SECONDS);
    put("job_expected_since_timestamp_seconds", "", at.since);
    put("job_queue_size", "", queue);
  }
  return [...lines]
    .filter(([series, values]) => values.some((value) => isTold(series, value)))
    .map(([series, values]) => ({ series, values: expanding(values) }));
}

/** A counter that never counts is left out, and a moment may be 0. */
function isTold(series: string, value: number | null): boolean {
  return value !== null && (value !== 0 || series.includes("_timestamp_"));
}

/** As promtool writes series: `1+2x3` is 1 and three more, each 2 greater; `_x3` is three times nothing. */
export function expanding(values: readonly (number | null)[]): string {
  const parts: string[] = [];
  let at = 0;
  while (at < values.length) {
    const from = values[at]!;
    let end = at + 1;
    if (from === null) {
      while (end < values.length && values[end] === null) end += 1;
      parts.push(`_x${end - at}`);
    } else if (from === PAUSED) {
      while (values[end] === PAUSED) end += 1;
      parts.push(`Inf+0x${end - at - 1}`);
    } else {
      const next = values[end];
      const step = next === undefined || next === null || next === PAUSED ? 0 : next - from;
      while (end < values.length && values[end] === from + step * (end - at)) end += 1;
      parts.push(`${from}${step < 0 ? "-" : "+"}${Math.abs(step)}x${end - at - 1}`);
    }
    at = end;
  }
  return parts.join(" ");
}
