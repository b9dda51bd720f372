/** `/board/network`: what leaves the cache, how fast workers' hosts are, and how this server answers. */
import { seenFleet } from "../../accounts/asked_orgs.ts";
import { type BarChart, timeChart } from "../../web/charts/chart.ts";
import { SPEED_METRICS, type Speed, speeds } from "../../web/fleet/speeds.ts";
import { readWorkerTotals } from "../../web/fleet/worker_totals.ts";
import { httpPart } from "../../web/health/http_table.ts";
import { coverageNote } from "../../web/metrics/coverage.ts";
import { metricHref } from "../../web/metrics/metric_links.ts";
import { type MetricAsk, type MetricPicture, metricPage } from "../../web/metrics/metric_page.ts";
import { readSeries } from "../../web/metrics/read_series.ts";

const NAV = { label: "Network", href: "/board/network", icon: "network", group: "Fleet" } as const;

export const networkPage = metricPage({
  id: "network",
  nav: NAV,
  own: ["sort"],
  title: "Network",
  lead: "What leaves the binary cache, how fast the hosts of workers are, and how this server answers.",
  filters: [],
  read: readNetwork,
});

async function readNetwork(ask: MetricAsk): Promise<MetricPicture> {
  const { scope, span, source, range, filter, shell } = ask;
  const [egress] = await readSeries(source, scope, { ...span, metrics: ["cache.bytes_sent"] });
  const totals = await readWorkerTotals(source.reads, seenFleet(scope), SPEED_METRICS, span);
  const sent = {
    ...{ id: "egress", title: "Egress of the cache", unit: "bytes" as const },
    sentence: `What the binary cache has sent per ${range.granularity}.`,
    empty: "No binary cache is served here yet, so nothing has left it.",
  };
  const href = (sort: string) => metricHref({ nav: NAV }, { ...filter, own: { sort } });
  return {
    charts: [
      speedBars(speeds(totals, "worker.network_mbps"), {
        ...{ id: "network", title: "Network of workers", unit: "megabits_per_second" },
        sentence: "What each worker's host sent and received, Mbit/s: mean and peak of the time.",
      }),
      speedBars(speeds(totals, "worker.disk_mbps"), {
        ...{ id: "disk", title: "Disks of workers", unit: "megabytes_per_second" },
        sentence: "What each worker's host read and wrote, MB/s: mean and peak of the time.",
      }),
      timeChart(sent, range, [
        { name: "Sent", series: egress!, pick: (point) => point.sum, style: "area" },
      ]),
    ],
    parts: scope.isSuperuser ? [httpPart(shell.deps.traffic, filter.own.sort ?? "", href)] : [],
    notes: coverageNote(egress!.covered, range),
  };
}

function speedBars(
  workers: readonly Speed[],
  about: Pick<BarChart, "id" | "title" | "unit" | "sentence">,
): BarChart {
  return {
    ...{ kind: "bars", ...about, isLying: true, labels: workers.map((worker) => worker.label) },
    empty: "No worker that you see told of it in this time.",
    lines: [
      { name: "Mean", tone: "plain", values: workers.map((worker) => worker.mean) },
      { name: "Peak", tone: "second", values: workers.map((worker) => worker.peak) },
    ],
  };
}
