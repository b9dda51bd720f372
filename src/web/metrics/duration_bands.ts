/** How many attempts took how long, by band and over time: told by the page of durations and by the API alike. */
import { DURATION_BAND_KEYS, DURATION_BAND_WORDS } from "../../core/metrics/catalogue.ts";
import type { Coverage, Point } from "../../core/metrics/series.ts";
import type { Scope } from "../../core/scope.ts";
import { readSeries, type SeriesAsk, type SeriesDeps } from "./read_series.ts";

export interface DurationBand {
  /** In words, such as "10 to 30 s". */
  band: string;
  points: readonly Point[];
  /** Of the whole span. */
  count: number;
}

export interface DurationBands {
  /** The shortest run times first. */
  bands: DurationBand[];
  covered: Coverage;
}

export async function readDurationBands(
  deps: SeriesDeps,
  scope: Scope,
  span: Pick<SeriesAsk, "granularity" | "from" | "to" | "group">,
): Promise<DurationBands> {
  const series = await readSeries(deps, scope, { ...span, metrics: DURATION_BAND_KEYS });
  const bands = series.map((one, at) => {
    return { band: DURATION_BAND_WORDS[at]!, points: one.points, count: one.total().count };
  });
  return { bands, covered: series[0]!.covered };
}
