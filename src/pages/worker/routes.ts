/** `/board/workers/{worker_id}`: one worker's host and slots over time, and when it was connected. */
import { seenFleet } from "../../accounts/asked_orgs.ts";
import { readLiveWorkers } from "../../web/fleet/live_workers.ts";
import { findWorker, readConnections, readWorkerSeries } from "../../web/fleet/one_worker.ts";
import { coverageNote } from "../../web/metrics/coverage.ts";
import { MetricRefused } from "../../web/metrics/groups.ts";
import { metricHref } from "../../web/metrics/metric_links.ts";
import { type MetricAsk, type MetricPicture, metricPage } from "../../web/metrics/metric_page.ts";
import { workerCharts } from "./charts.ts";
import { connectionRows, figuresOf, leadOf } from "./view.ts";

const WHERE = {
  nav: { label: "Worker", href: "/board/workers/:worker", icon: "worker", group: "Fleet" },
} as const;
const CONNECTIONS = 50;

export const workerPage = metricPage({
  ...{ id: "worker", ...WHERE, within: "workers", own: ["worker", "before"] },
  title: "Worker",
  lead: "",
  filters: [],
  readsWhole: true,
  read: readWorkerPage,
});

async function readWorkerPage(ask: MetricAsk): Promise<MetricPicture> {
  const { scope, source, span, range, filter, shell } = ask;
  const { reads } = source;
  const uid = (filter.own.worker ?? "").toLowerCase();
  const fleet = seenFleet(scope);
  const worker = await findWorker(reads, fleet, uid);
  if (worker === null) throw new MetricRefused("not_found", "worker", "There is no such worker.");
  const before = beforeOf(filter.own.before ?? "");
  const now = shell.deps.engine.now();
  const [[live], series, found] = await Promise.all([
    readLiveWorkers(reads, fleet, uid),
    readWorkerSeries(source, scope, span, uid),
    readConnections(reads, worker.id, { before, limit: CONNECTIONS + 1, now }),
  ]);
  const page = found.slice(0, CONNECTIONS);
  const turn = (id: string) => metricHref(WHERE, { ...filter, own: { worker: uid, before: id } });
  // Of a worker that all share, the jobs of others are nobody's business.
  const isTold = scope.isSuperuser || worker.org !== null;
  return {
    title: worker.name,
    lead: leadOf(worker),
    figures: figuresOf({ live, series, isTold }),
    charts: workerCharts(range, series, worker),
    parts: [
      {
        id: "connections",
        template: "worker/_connections",
        model: {
          rows: connectionRows(page),
          older: found.length > CONNECTIONS ? turn(String(page.at(-1)!.id)) : null,
          newest: before === null ? null : turn(""),
        },
      },
    ],
    notes: coverageNote(series.used.covered, range),
  };
}

/** What is no position begins at the newest. */
function beforeOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
