/** `/board/background`: whether the jobs that run again and again do, how they end, and how long they take. */
import { askedOrgs } from "../../accounts/asked_orgs.ts";
import { isSystem } from "../../core/background/system_org.ts";
import { seenOrgs } from "../../core/scope.ts";
import { readAlertMarks, spansOf } from "../../web/alerts/marks.ts";
import { orgLabel } from "../../web/background/candidates.ts";
import {
  type Background,
  type BackgroundName,
  readBackground,
} from "../../web/background/read_background.ts";
import { coarserNotes } from "../../web/metrics/bounded_span.ts";
import { coverageNotes } from "../../web/metrics/coverage_note.ts";
import { MetricRefused } from "../../web/metrics/groups.ts";
import { endedJobsLink } from "../../web/metrics/jobs_link.ts";
import type { MetricFilter } from "../../web/metrics/metric_filter.ts";
import { metricHref } from "../../web/metrics/metric_links.ts";
import {
  type MetricAsk,
  type MetricPageSpec,
  type MetricPicture,
  metricPage,
} from "../../web/metrics/metric_page.ts";
import type { BoardContext, BoardPage } from "../../web/shell.ts";
import {
  durationChart,
  failureBars,
  heatChart,
  itemsChart,
  queueChart,
  rateChart,
  statusChart,
  withAlerts,
} from "./charts.ts";
import { setExpected, showExpected } from "./expected_page.ts";
import { EXPECTED, figuresOf, gaugeModel, staleModel, tableModel, tablesOf } from "./view.ts";

/** Seconds; "off" is for looking at the past. */
const REFRESHES = ["30", "10", "60", "off"] as const;

const SPEC: MetricPageSpec = {
  id: "background",
  nav: {
    ...{ label: "Background jobs", href: "/board/background", icon: "background" },
    group: "History",
  },
  title: "Background jobs",
  lead: "Whether what is to run again and again does, how it ends, and how long it takes.",
  filters: ["org", "name"],
  rangeDefault: "6h",
  refreshes: REFRESHES,
  everyMs: ({ own }) => secondsOf(own.refresh) * 1_000,
  isGrid: true,
  // What is read side by side is bounded where it is read: by names, and by organizations.
  readsWhole: true,
  read: readPage,
};
const picturePage = metricPage(SPEC);
export const backgroundPage: BoardPage = {
  ...picturePage,
  mount: (app, shell) => {
    picturePage.mount(app, shell);
    app.get(EXPECTED, (c: BoardContext) => showExpected(c, shell));
    app.post(EXPECTED, (c: BoardContext) => setExpected(c, shell));
  },
};

/** Whoever wants no refresh shares one a minute with others who do not. */
function secondsOf(refresh: string | undefined): number {
  return Number(refresh || REFRESHES[0]) || 60;
}

async function readPage({
  shell,
  scope,
  filter,
  range,
  source,
}: MetricAsk): Promise<MetricPicture> {
  refuseRefresh(filter);
  const now = shell.deps.engine.now();
  const data = await readBackground(source, scope, { filter, range, now });
  const { from, to } = data.range;
  const names = data.names.map(({ id }) => id);
  const orgs = askedOrgs(
    shell.deps.directory,
    seenOrgs(scope),
    isSystem(filter.org) ? "" : filter.org,
  );
  const { marks, isWhole } = await readAlertMarks(source.reads, orgs, { from, to, names });
  const alerts = spansOf(marks, { from, to: Math.min(to, now) });
  const nameOf = (id: number) => shell.deps.directory.byId(id)?.name;
  const org = (one: BackgroundName) => orgLabel(one.org, nameOf);
  const label = (one: BackgroundName) =>
    isNamed(one, data) ? `${org(one)} / ${one.name}` : one.name;
  const opens = isSystem(filter.org) ? undefined : endedJobsLink(filter);
  const links = (chart: string) => ({
    csv: metricHref(SPEC, filter, { chart, format: "csv" }),
    json: metricHref(SPEC, filter, { chart, format: "json" }),
  });
  const ask = { now, links, label, org };
  return {
    figures: figuresOf(data),
    charts: [
      statusChart(data, opens),
      queueChart(data, label),
      rateChart(data, label),
      durationChart(data, label),
      itemsChart(data, label),
      failureBars(data, label),
      heatChart(data, opens),
    ].map((chart) => withAlerts(chart, alerts)),
    parts: [
      {
        ...{ id: "gauge", template: "background/_gauge", beside: "status", columns: 8 },
        model: gaugeModel(data, links),
      },
      {
        ...{ id: "staleness", template: "background/_staleness", beside: "durations", columns: 24 },
        model: staleModel(data, ask),
      },
      {
        ...{ id: "names", template: "background/_names", beside: "heat", columns: 24 },
        model: tableModel(data, ask),
      },
    ],
    tables: tablesOf(data, org),
    notes: [
      ...notesOf(data, { scope, filter, range }),
      ...(isWhole ? [] : ["Only the newest alerts of this time are shaded in the charts."]),
    ],
  };
}

/** Whether its organization must be said, because there are others. */
function isNamed({ org }: BackgroundName, { names }: Background): boolean {
  if (isSystem(org)) return names.some((one) => !isSystem(one.org));
  return names.some((one) => one.org !== org && !isSystem(one.org));
}

function refuseRefresh({ own }: MetricFilter): void {
  const { refresh = "" } = own;
  if (refresh === "" || (REFRESHES as readonly string[]).includes(refresh)) return;
  const text = `There is no refresh ${refresh}: take one of ${REFRESHES.join(", ")}, in seconds.`;
  throw new MetricRefused("invalid", "refresh", text);
}

function notesOf(
  data: Background,
  { scope, filter, range }: Pick<MetricAsk, "scope" | "filter" | "range">,
): string[] {
  const { names, found, hasAllSchedules } = data;
  const isWhole = scope.isSuperuser && filter.org === "" && filter.name === "";
  return [
    ...coverageNotes(data.covered, data.range),
    ...coarserNotes(range, data.range, { mayChooseOrg: true }),
    ...(found > names.length
      ? [
          `${names.length} of ${found} names are shown: those with a schedule first, the most overdue before others, then the busiest. Totals count all; name an organization or a job to see others.`,
        ]
      : []),
    ...(hasAllSchedules ? [] : ["Only the first 200 schedules say how often a name is to run."]),
    ...(isWhole && names.some((one) => one.org < 0)
      ? [
          "Names of system are Signalbox's own maintenance: they stand in the lists, and in no total.",
        ]
      : []),
  ];
}
