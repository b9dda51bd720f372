/** `/board/durations`: how long jobs run, and where their time goes. */
import { duration, percent, plural } from "../../web/format.ts";
import { coverageNotes } from "../../web/metrics/coverage_note.ts";
import { type DurationBand, readDurationBands } from "../../web/metrics/duration_bands.ts";
import { endedJobsLink } from "../../web/metrics/jobs_link.ts";
import {
  type Figure,
  type MetricAsk,
  type MetricPicture,
  metricPage,
} from "../../web/metrics/metric_page.ts";
import { readSeries, type Series } from "../../web/metrics/read_series.ts";
import { bandsChart, splitChart, trendChart } from "./charts.ts";

export const durationsPage = metricPage({
  id: "durations",
  nav: { label: "Durations", href: "/board/durations", icon: "durations", group: "History" },
  title: "Durations",
  lead: "How long jobs run, and where their time goes.",
  filters: ["org", "queue", "name"],
  read: readDurations,
});

async function readDurations(ask: MetricAsk): Promise<MetricPicture> {
  const { scope, span, source, range, filter } = ask;
  const waits = ["deps.wait_ms", "dispatch.wait_ms", "start.latency_ms"];
  const [[runs], [dependencies, queue, start], { bands, covered }] = (await Promise.all([
    readSeries(source, scope, { ...span, metrics: ["jobs.duration_ms"] }),
    readSeries(source, scope, { ...span, metrics: waits, histograms: false }),
    readDurationBands(source, scope, span),
  ])) as [[Series], [Series, Series, Series], Awaited<ReturnType<typeof readDurationBands>>];
  const succeeded = endedJobsLink(filter, "succeeded");
  return {
    figures: totals(runs, bands),
    charts: [
      trendChart(range, runs, succeeded),
      bandsChart(range, bands, succeeded),
      splitChart(range, { dependencies, queue, start, runs }, endedJobsLink(filter)),
    ],
    notes: coverageNotes(covered, range),
  };
}

function totals(runs: Series, bands: readonly DurationBand[]): Figure[] {
  const { count, avg, p50, p95, most } = runs.total();
  const slowest = bands.at(-1)!;
  const share = count === 0 ? null : slowest.count / count;
  return [
    {
      ...{ id: "mean", label: "Mean run time", value: duration(avg) },
      note: `of ${plural(count, "attempt")} that succeeded`,
    },
    { id: "p50", label: "p50", value: duration(p50), note: "within 1 %" },
    { id: "p95", label: "p95", value: duration(p95), note: "within 1 %" },
    { id: "most", label: "Longest", value: duration(most) },
    {
      ...{ id: "slowest", label: `Ran ${slowest.band}`, value: percent(share) },
      note: plural(slowest.count, "attempt"),
    },
  ];
}
