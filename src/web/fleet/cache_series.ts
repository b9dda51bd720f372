/** The binary cache over time. Nothing writes its metrics yet. */
import { knownMetric } from "../../core/metrics/catalogue.ts";
import type { Scope } from "../../core/scope.ts";
import {
  readSeries,
  type Series,
  type SeriesAsk,
  type SeriesDeps,
} from "../metrics/read_series.ts";

const METRICS = ["cache.bytes_sent", "cache.bytes_added", "cache.requests"] as const;

/** Whether anything would write what the page shows. */
export function isCacheServed(): boolean {
  return METRICS.some((key) => knownMetric(key).source !== null);
}

export interface CacheSeries {
  sent: Series;
  added: Series;
  requests: Series;
  /** Of the span. */
  totals: { sent: number; added: number; requests: number };
}

export async function readCacheSeries(
  source: SeriesDeps,
  scope: Scope,
  span: Omit<SeriesAsk, "metrics">,
): Promise<CacheSeries> {
  const read = await readSeries(source, scope, { ...span, metrics: METRICS });
  const [sent, added, requests] = read as [Series, Series, Series];
  const total = ({ points }: Series) => points.reduce((sum, point) => sum + (point.sum ?? 0), 0);
  const totals = { sent: total(sent), added: total(added), requests: total(requests) };
  return { sent, added, requests, totals };
}
