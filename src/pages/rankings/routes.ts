/** `/board/jobs?tab=…`: the costliest attempts, and for superusers the busiest organizations. */

import { knownMetric } from "../../core/metrics/catalogue.ts";
import { seenOrgs } from "../../core/scope.ts";
import type { Measure } from "../../db/statements/rollups/write_rankings.ts";
import type { BarChart } from "../../web/charts/chart.ts";
import { bytes, count, decimal, duration } from "../../web/format.ts";
import { dimensionsOf, groupIds, groupOrgs, keptGrouping } from "../../web/metrics/groups.ts";
import { memberNames } from "../../web/metrics/member_names.ts";
import { metricQuery } from "../../web/metrics/metric_filter.ts";
import { type MetricAsk, type MetricPicture, metricPage } from "../../web/metrics/metric_page.ts";
import { readSplit } from "../../web/metrics/read_series.ts";
import { firstRankedDay, readRanking } from "./queries.ts";

interface Tab {
  measure: Measure;
  label: string;
  sentence: string;
  write(value: number): string;
}

const MIB = 1024 * 1024;

const TABS: readonly Tab[] = [
  {
    ...{ measure: "longest", label: "Longest", write: duration },
    sentence: "Attempts by their run time, by the worker's own clock, however they ended.",
  },
  {
    ...{ measure: "ram", label: "Peak RAM", write: (value: number) => bytes(value * MIB) },
    sentence: "Attempts by the most memory that they held at once.",
  },
  {
    ...{ measure: "cpu", label: "CPU time", write: duration },
    sentence: "Attempts by processor time, over all cores.",
  },
  {
    ...{ measure: "disk", label: "Disk I/O", write: bytes },
    sentence: "Attempts by what they read from and wrote to disks.",
  },
  {
    ...{
      measure: "network",
      label: "Network",
      write: (value: number) => `${decimal(value, 1)} Mbit/s`,
    },
    sentence:
      "Attempts by the peak of the whole host while they ran: other jobs of the same host are in it.",
  },
];

export const rankingsPage = metricPage({
  id: "rankings",
  nav: { label: "Costliest jobs", href: "/board/jobs", icon: "rankings", group: "History" },
  within: "jobs",
  when: (params) => TABS.some((tab) => tab.measure === params.get("tab")),
  title: "Costliest jobs",
  lead: "The attempts of whole days (UTC) that took most.",
  filters: ["org", "queue", "name"],
  own: ["tab"],
  read: readRankings,
});

async function readRankings(ask: MetricAsk): Promise<MetricPicture> {
  const { scope, filter, range, source, span } = ask;
  const tab = TABS.find((one) => one.measure === filter.own.tab) ?? TABS[0]!;
  const isMasked = groupOrgs(source, scope, span.group.org) !== "all";
  const metric = knownMetric("jobs.duration_ms");
  const grouping = keptGrouping(metric, dimensionsOf(span.group, undefined), isMasked);
  const ids = await groupIds(source, scope, span.group, grouping);
  const [from, to] = [dayOf(range.from), dayOf(range.to - 1)];
  const rows = await readRanking(source.reads, { measure: tab.measure, from, to, ids });
  const first = await firstRankedDay(source.reads, seenOrgs(scope));
  const model = {
    tabs: TABS.map(({ measure, label }) => ({
      measure,
      label,
      isCurrent: measure === tab.measure,
    })),
    ...{ sentence: tab.sentence, label: tab.label, query: metricQuery({ ...filter, own: {} }) },
    rows: rows.map((row) => ({ ...row, worker: row.worker ?? "–", text: tab.write(row.value) })),
  };
  return {
    notes: notesOf(from, to, first),
    charts: scope.isSuperuser ? [await busiestOrgs(ask)] : [],
    parts: [{ id: "ranking", template: "rankings/_ranking", model }],
  };
}

function notesOf(from: string, to: string, first: string | null): string[] {
  const days = from === to ? `the day ${from}` : `the days from ${from} to ${to}`;
  const covered = first !== null && first > from ? ` Nothing is kept of days before ${first}.` : "";
  return [`The 20 costliest attempts that ended on ${days}, in UTC.${covered}`];
}

/** Organizations are nobody's business but the superusers'. */
async function busiestOrgs({ source, scope, span, range }: MetricAsk): Promise<BarChart> {
  const ask = { ...span, group: {}, metric: "jobs.duration_ms", by: "org" as const, most: 15 };
  const { series } = await readSplit(source, scope, { ...ask, histograms: false });
  const names = await memberNames(
    source.reads,
    "org",
    series.map((one) => one.id),
  );
  return {
    ...{ kind: "bars", id: "orgs", title: "Run time by organization", unit: "milliseconds" },
    sentence: `Run time of attempts that succeeded, of the busiest ${count(15)} organizations, by their end ${range.name ? `in ${range.name}` : "in this span"}.`,
    ...{ empty: "No attempt succeeded in this time.", isLying: true },
    labels: series.map((one) => names.get(one.id) ?? "others"),
    lines: [{ name: "Run time", tone: "plain", values: series.map((one) => one.total.sum) }],
  };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
