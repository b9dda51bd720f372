/** `/board/throughput`: what comes in and what goes out. */

import { perBucket } from "../../core/metrics/time_range.ts";
import { type BarChart, countOf, timeChart } from "../../web/charts/chart.ts";
import { activeJobs } from "../../web/fleet/active_jobs.ts";
import { askedFleet } from "../../web/fleet/asked_fleet.ts";
import { type LiveWorker, readLiveWorkers } from "../../web/fleet/live_workers.ts";
import { endedJobsLink } from "../../web/metrics/jobs_link.ts";
import { type MetricAsk, type MetricPicture, metricPage } from "../../web/metrics/metric_page.ts";
import { readSeries } from "../../web/metrics/read_series.ts";

export const throughputPage = metricPage({
  id: "throughput",
  nav: { label: "Throughput", href: "/board/throughput", icon: "throughput", group: "History" },
  title: "Throughput",
  lead: "What comes in and what goes out.",
  filters: ["org", "queue", "name"],
  read: readThroughput,
});

async function readThroughput(ask: MetricAsk): Promise<MetricPicture> {
  const { scope, span, source, range } = ask;
  const keys = ["jobs.created", "jobs.succeeded", "jobs.failed", "jobs.retried"];
  const evals = ["evals.completed", "evals.failed"];
  const [created, succeeded, failed, retried] = await readSeries(source, scope, {
    ...span,
    metrics: keys,
  });
  const [completed, broken] = await readSeries(source, scope, { ...span, metrics: evals });
  const fleet = askedFleet(source.directory, scope, ask.filter.org);
  const workers = await readLiveWorkers(source.reads, fleet);
  const per = perBucket(range);
  const opens = endedJobsLink(ask.filter);
  return {
    charts: [
      timeChart(
        {
          id: "pipeline",
          title: `Jobs ${per}`,
          sentence:
            "Jobs that were submitted, ended well and failed for good, and failures that were tried again.",
          unit: "count",
          empty: "No job was submitted or ended in this time. Take a longer range, or submit one.",
          opens,
        },
        range,
        [
          { name: "Created", series: created!, pick: countOf, tone: "muted" },
          { name: "Succeeded", series: succeeded!, pick: countOf, tone: "plain", style: "area" },
          { name: "Failed", series: failed!, pick: countOf, tone: "bad" },
          { name: "Tried again", series: retried!, pick: countOf, tone: "second" },
        ],
      ),
      timeChart(
        {
          id: "evaluations",
          title: `Evaluations ${per}`,
          sentence: "Jobs that added jobs to their workflow, by how they ended.",
          unit: "count",
          empty: "No job added jobs to its workflow in this time.",
        },
        range,
        [
          {
            name: "Completed",
            series: completed!,
            pick: countOf,
            tone: "plain",
            style: "bar",
            stack: "evals",
          },
          {
            name: "Failed",
            series: broken!,
            pick: countOf,
            tone: "bad",
            style: "bar",
            stack: "evals",
          },
        ],
      ),
      activeBars(workers),
    ],
  };
}

/** Of the moment, whatever the span. */
function activeBars(workers: readonly LiveWorker[]): BarChart {
  const bars = activeJobs(workers);
  return {
    ...{ kind: "bars", id: "active", title: "Active jobs per worker, now", unit: "count" },
    sentence:
      "Slots of each connected worker that hold a job, of any queue and name, and those free.",
    empty: "No worker is connected. Start one: npx signalbox worker --url ws://HOST:PORT",
    labels: bars.map(({ label }) => label),
    lines: [
      { name: "Active", tone: "plain", values: bars.map(({ active }) => active), stack: "slots" },
      { name: "Free", tone: "muted", values: bars.map(({ free }) => free), stack: "slots" },
    ],
    isLying: true,
  };
}
