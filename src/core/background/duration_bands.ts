/** How many runs of a histogram fall into each band of the duration heatmap. Pure. */
import { DURATION_BANDS } from "../metrics/catalogue.ts";
import { type Histogram, middleOf } from "../metrics/histogram.ts";

/** A run within 1 % of a band's edge may be counted in the neighbour: its bin knows no more of it. */
export function bandCounts({ bins, hits }: Histogram): number[] {
  const counts = new Array<number>(DURATION_BANDS.length + 1).fill(0);
  for (const [at, bin] of bins.entries()) {
    const ms = middleOf(bin);
    const band = DURATION_BANDS.findIndex((edge) => ms < edge);
    counts[band < 0 ? DURATION_BANDS.length : band]! += hits[at]!;
  }
  return counts;
}
