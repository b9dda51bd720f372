/** `/board`: what the fleet does now, how the last hours went, and what needs attention. */
import { askedOrgs, seenFleet } from "../../accounts/asked_orgs.ts";
import { bucketStart } from "../../core/metrics/buckets.ts";
import { perBucket } from "../../core/metrics/time_range.ts";
import { seenOrgs } from "../../core/scope.ts";
import { readFleetSize } from "../../db/fleet.ts";
import { countOf, type TimeChart, timeChart } from "../../web/charts/chart.ts";
import { count, decimal, minute, plural } from "../../web/format.ts";
import { countsOf, readQueues } from "../../web/live/counts.ts";
import { boundedSpan } from "../../web/metrics/bounded_span.ts";
import { endedJobsLink } from "../../web/metrics/jobs_link.ts";
import {
  type Figure,
  type MetricAsk,
  type MetricPicture,
  metricPage,
} from "../../web/metrics/metric_page.ts";
import { aligned, readSeries } from "../../web/metrics/read_series.ts";
import { attentions, countAway, readDraining, readLongestReady } from "./attention.ts";

const HOUR = 3_600_000;
/** Figures tick; what is made of rollups changes once a minute. */
const TICK_MS = 1_000;
const SLOW_MS = 10_000;

export const overviewPage = metricPage({
  id: "overview",
  nav: { label: "Overview", href: "/board", icon: "overview", group: "Now" },
  title: "Overview",
  lead: "What the fleet does now, and what needs attention.",
  filters: ["org"],
  everyMs: TICK_MS,
  read: readOverview,
});

async function readOverview(ask: MetricAsk): Promise<MetricPicture> {
  const history = await ask.slowly("history", SLOW_MS, () => readHistory(ask));
  const needs = await ask.slowly("attention", SLOW_MS / 2, () => readAttention(ask));
  const figures = await readFigures(ask, history);
  const model = { attentions: needs };
  return {
    ...{ figures, charts: history.charts },
    parts: [{ id: "attention", template: "overview/_attention", model, isFirst: true }],
  };
}

interface History {
  charts: TimeChart[];
  dispatched: number;
  succeeded: number;
  failed: number;
}

async function readHistory({ source, scope, span, range, filter }: MetricAsk): Promise<History> {
  const metrics = ["jobs.succeeded", "jobs.failed", "jobs.dispatched"];
  const [succeeded, failed, dispatched] = await readSeries(source, scope, { ...span, metrics });
  const total = (series: typeof succeeded) =>
    series!.points.reduce((sum, point) => sum + (point.count ?? 0), 0);
  const chart = timeChart(
    {
      id: "completed",
      title: `Jobs completed ${perBucket(range)}`,
      sentence: "Jobs that ended, well or badly, in each bucket of time.",
      unit: "count",
      empty: "No job ended in this time. Submit one: npx signalbox submit --follow -- echo hello",
      opens: endedJobsLink(filter),
    },
    range,
    [
      { name: "Succeeded", series: succeeded!, pick: countOf, style: "bar", stack: "ended" },
      { name: "Failed", series: failed!, pick: countOf, tone: "bad", style: "bar", stack: "ended" },
    ],
  );
  return {
    charts: [chart],
    ...{ dispatched: total(dispatched), succeeded: total(succeeded), failed: total(failed) },
  };
}

async function readFigures(
  { shell, scope, filter, range }: MetricAsk,
  { dispatched, succeeded, failed }: History,
): Promise<Figure[]> {
  const { database, directory } = shell.deps;
  const { reads } = database;
  const seen = seenFleet(scope);
  const orgs = askedOrgs(directory, seen.orgs, filter.org);
  const states = await countsOf(reads, orgs);
  const { workers, slots } = await readFleetSize(reads, { orgs, shared: seen.shared }, seen);
  const ended = succeeded + failed;
  const query = filter.org === "" ? "" : `&org=${encodeURIComponent(filter.org)}`;
  const live = (...names: string[]) =>
    `/board/live?${names.map((state) => `state=${state}`).join("&")}${query}`;
  const hidden =
    workers.hidden > 0 ? `of ${count(workers.total)}, ${count(workers.hidden)} hidden, ` : "";
  const shared = filter.org === "" ? "" : ", with the workers that all share";
  const span = range.name === null ? "in this span" : `in ${range.name}`;
  return [
    {
      ...{ id: "workers", label: "Connected workers", value: count(workers.visible) },
      ...{ note: `${hidden}${plural(slots.visible, "slot")}${shared}`, href: "/board/workers" },
    },
    {
      ...{ id: "pending", label: "Pending", value: count(states.ready + states.queued) },
      ...{ note: `${count(states.ready)} ready`, href: live("ready", "queued") },
    },
    {
      ...{ id: "active", label: "Active", value: count(states.dispatched + states.running) },
      ...{ note: `${count(states.running)} running`, href: live("dispatched", "running") },
    },
    { id: "dispatched", label: "Dispatched", value: count(dispatched), note: span },
    {
      ...{ id: "success", label: "Success rate", note: `${count(ended)} ended ${span}` },
      value: ended === 0 ? "–" : `${decimal((succeeded / ended) * 100, 1)} %`,
    },
  ];
}

async function readAttention(ask: MetricAsk) {
  const { shell, scope, filter, source } = ask;
  const { database, directory, engine } = shell.deps;
  const { reads } = database;
  const now = engine.now();
  const seen = seenFleet(scope);
  const orgs = askedOrgs(directory, seenOrgs(scope), filter.org);
  const { group } = ask.span;
  const minutes = {
    granularity: "minute" as const,
    from: bucketStart("minute", now - HOUR),
    to: now,
  };
  const hour = boundedSpan(source, scope, minutes, group);
  const metrics = ["jobs.succeeded", "jobs.failed"];
  const lastHour = await readSeries(source, scope, { ...hour, group, metrics });
  const [succeeded, failed] = lastHour.map(({ points }) =>
    points.reduce((sum, point) => sum + (point.count ?? 0), 0),
  );
  const { to } = lastHour[0]!.covered;
  const isHour = hour.granularity === minutes.granularity;
  const time = isHour ? "in the last hour" : `since ${minute(aligned(hour).from)}`;
  return attentions({
    now,
    draining: await readDraining(reads),
    queues: await readQueues(reads, orgs),
    waiting: await readLongestReady(reads, orgs),
    away: await countAway(reads, { orgs, shared: seen.shared }),
    ended: { succeeded: succeeded!, failed: failed!, time },
    behindMs: to === 0 ? null : now - to,
  });
}
