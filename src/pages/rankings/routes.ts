/** `/board/jobs?tab=…`: the costliest attempts, and for superusers the busiest organizations. */
import { dayOf } from "../../core/ids.ts";
import { type Measure, PLACES } from "../../db/statements/rollups/write_rankings.ts";
import type { BarChart } from "../../web/charts/chart.ts";
import { bytes, count, decimal, duration } from "../../web/format.ts";
import { metricQuery } from "../../web/metrics/metric_filter.ts";
import { type MetricAsk, type MetricPicture, metricPage } from "../../web/metrics/metric_page.ts";
import { ORGS_NAMED, readBusiestOrgs } from "../../web/rankings/busiest_orgs.ts";
import { readRanking } from "../../web/rankings/read_ranking.ts";

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
  readsWhole: true,
  read: readRankings,
});

async function readRankings(ask: MetricAsk): Promise<MetricPicture> {
  const { scope, filter, range, source, span } = ask;
  const tab = TABS.find((one) => one.measure === filter.own.tab) ?? TABS[0]!;
  const { measure } = tab;
  const [from, to] = [dayOf(range.from), dayOf(range.to - 1)];
  const asked = { measure, from, to, group: span.group };
  const { attempts, firstDay } = await readRanking(source, scope, asked);
  const model = {
    tabs: TABS.map(({ measure: own, label }) => {
      return { measure: own, label, isCurrent: own === measure };
    }),
    ...{ sentence: tab.sentence, label: tab.label, query: metricQuery({ ...filter, own: {} }) },
    rows: attempts.map((one) => ({
      ...{ ...one, worker: one.worker ?? "–", text: tab.write(one.value) },
    })),
  };
  return {
    notes: notesOf(from, to, firstDay),
    charts: scope.isSuperuser ? [await busiestOrgs(ask)] : [],
    parts: [{ id: "ranking", template: "rankings/_ranking", model }],
  };
}

function notesOf(from: string, to: string, first: string | null): string[] {
  const days = from === to ? `the day ${from}` : `the days from ${from} to ${to}`;
  const covered = first !== null && first > from ? ` Nothing is kept of days before ${first}.` : "";
  return [`The ${PLACES} costliest attempts that ended on ${days}, in UTC.${covered}`];
}

/** Organizations are nobody's business but the superusers'. */
async function busiestOrgs({ shell, source, scope, span, range }: MetricAsk): Promise<BarChart> {
  const { directory } = shell.deps;
  const found = await readBusiestOrgs({ ...source, directory }, scope, span);
  const { orgs, granularity } = found
    ? { orgs: found.orgs, granularity: found.span.granularity }
    : { orgs: [], granularity: span.granularity };
  const time = range.name ? `in ${range.name}` : "in this span";
  const whole = granularity === span.granularity ? "" : `, of whole ${granularity}s`;
  return {
    ...{ kind: "bars", id: "orgs", title: "Run time by organization", unit: "milliseconds" },
    sentence: `Run time of attempts that succeeded, of the busiest ${count(ORGS_NAMED)} organizations, by their end ${time}${whole}.`,
    empty: found
      ? "No attempt succeeded in this time."
      : "There are too many organizations to add them up over this time. Take a shorter one.",
    isLying: true,
    labels: orgs.map(({ org }) => org ?? "others"),
    lines: [{ name: "Run time", tone: "plain", values: orgs.map(({ runMs }) => runMs) }],
  };
}
