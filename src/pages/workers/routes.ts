/** `/board/workers`: who is connected, what they can, how full they are, and each of them live. */
import { fleetLoad, loadPercent } from "../../core/fleet_load.ts";
import { askedFleet, askedFleetSize, hiddenNote } from "../../web/fleet/asked_fleet.ts";
import { readFleetTrends } from "../../web/fleet/fleet_trend.ts";
import { readLiveWorkers } from "../../web/fleet/live_workers.ts";
import { UTILISATION_METRICS, utilisation } from "../../web/fleet/utilisation.ts";
import { readWorkerTotals } from "../../web/fleet/worker_totals.ts";
import { coverageNote } from "../../web/metrics/coverage.ts";
import { type MetricAsk, type MetricPicture, metricPage } from "../../web/metrics/metric_page.ts";
import { readSeries } from "../../web/metrics/read_series.ts";
import { fleetCharts, loadRadar, trendChart, utilisationBars } from "./charts.ts";
import { figuresOf, loadRows, workerRows } from "./view.ts";

export const workersPage = metricPage({
  id: "workers",
  nav: { label: "Workers", href: "/board/workers", icon: "worker", group: "Fleet" },
  title: "Workers",
  lead: "Who is connected, what they can run, and how full their slots are.",
  filters: ["org"],
  everyMs: 5_000,
  read: readFleetPage,
});

/** Of a whole span, which no five seconds change. */
const TOTALS_MS = 30_000;
const KEYS = ["workers.connected", "workers.draining", "workers.exec", "workers.handlers"];

async function readFleetPage({
  shell,
  scope,
  span,
  source,
  range,
  filter,
  slowly,
}: MetricAsk): Promise<MetricPicture> {
  const { reads, directory } = source;
  const series = await readSeries(source, scope, { ...span, metrics: KEYS });
  const fleet = askedFleet(directory, scope, filter.org);
  const [live, size, totals, trends] = await Promise.all([
    readLiveWorkers(reads, fleet),
    askedFleetSize(reads, scope, fleet),
    slowly("totals", TOTALS_MS, () => readWorkerTotals(reads, fleet, UTILISATION_METRICS, span)),
    readFleetTrends(reads, fleet, span),
  ]);
  const now = shell.deps.engine.now();
  const load = fleetLoad(live);
  const [connected, capabilities] = fleetCharts(range, series);
  return {
    figures: figuresOf(live, size),
    charts: [
      connected,
      capabilities,
      trendChart("system", trends.system, now),
      trendChart("pool", trends.pool, now),
      loadRadar(load),
      utilisationBars(utilisation(totals)),
    ],
    parts: [
      {
        id: "load",
        template: "workers/_load",
        beside: "load",
        model: { rows: loadRows(load, loadPercent) },
      },
      { id: "workers", template: "workers/_workers", model: workerRows(live) },
    ],
    notes: [...hiddenNote(size), ...coverageNote(series[0]!.covered, range)],
  };
}
