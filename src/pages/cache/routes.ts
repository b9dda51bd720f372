/** `/board/cache`: what the binary cache holds and sends. None is served yet, and the page says so. */
import type { Point } from "../../core/metrics/series.ts";
import { perBucket } from "../../core/metrics/time_range.ts";
import { countOf, timeChart } from "../../web/charts/chart.ts";
import { isCacheServed, readCacheSeries } from "../../web/fleet/cache_series.ts";
import { bytes, count } from "../../web/format.ts";
import { coverageNote } from "../../web/metrics/coverage.ts";
import { type MetricAsk, type MetricPicture, metricPage } from "../../web/metrics/metric_page.ts";

const NONE = "No binary cache is served here yet.";

export const cachePage = metricPage({
  id: "cache",
  nav: { label: "Cache", href: "/board/cache", icon: "cache", group: "Fleet" },
  title: "Cache",
  lead: "What the binary cache sends, how often it is asked, and how it grows.",
  filters: ["org"],
  read: readCache,
});

const sumOf = (point: Point) => point.sum;

async function readCache({ scope, span, source, range }: MetricAsk): Promise<MetricPicture> {
  const { sent, added, requests, totals } = await readCacheSeries(source, scope, span);
  const per = perBucket(range);
  return {
    figures: [
      { id: "sent", label: "Sent", value: bytes(totals.sent), note: "in this time" },
      { id: "requests", label: "Requests", value: count(totals.requests), note: "in this time" },
      { id: "added", label: "Added", value: bytes(totals.added), note: "in this time" },
    ],
    charts: [
      timeChart(
        {
          ...{ id: "traffic", title: `Sent ${per}`, unit: "bytes", empty: NONE },
          sentence: "What the binary cache has sent.",
        },
        range,
        [{ name: "Sent", series: sent, pick: sumOf, style: "area" }],
      ),
      timeChart(
        {
          ...{ id: "requests", title: `Requests ${per}`, unit: "count", empty: NONE },
          sentence: "Requests that the binary cache has answered.",
        },
        range,
        [{ name: "Requests", series: requests, pick: countOf }],
      ),
      timeChart(
        {
          ...{ id: "growth", title: `Added ${per}`, unit: "bytes", empty: NONE },
          sentence: "What was added to the binary cache.",
        },
        range,
        [{ name: "Added", series: added, pick: sumOf, style: "area" }],
      ),
    ],
    notes: isCacheServed()
      ? coverageNote(sent.covered, range)
      : [`${NONE} Every figure of it is 0 until there is one.`],
  };
}
