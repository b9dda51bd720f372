/** How many runs of a histogram fall into each band of the duration heatmap. Pure. */
import { DURATION_BANDS } from "../metrics/catalogue.ts";
import { binOf, type Histogram, middleOf } from "../metrics/histogram.ts";

/** The first bin of each band but the lowest: that whose middle is not below the edge. */
const FIRST_BINS = DURATION_BANDS.map((edge) => {
  const bin = binOf(edge);
  return middleOf(bin) < edge ? bin + 1 : bin;
});

/** A run within 1 % of a band's edge may be counted in the neighbour: its bin knows no more of it. */
export function bandCounts(parts: Iterable<Histogram>): number[] {
  const counts = new Array<number>(DURATION_BANDS.length + 1).fill(0);
  for (const { bins, hits } of parts) {
    let band = 0;
    // Bins rise, and so do bands.
    for (let at = 0; at < bins.length; at += 1) {
      while (band < FIRST_BINS.length && bins[at]! >= FIRST_BINS[band]!) band += 1;
      counts[band]! += hits[at]!;
    }
  }
  return counts;
}
