/** Medians, percentiles, ratios, and tables of them. */

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Nearest rank; NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * Ours ÷ theirs from rounds in turns, which slow down together where the machine does. The Hodges-Lehmann
 * estimate: the median of the geometric means of all pairs of rounds. One that the host stole spoils
 * nothing, as with a plain median, and it strays a fifth less than that.
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  const ratios = ours.map((value, round) => value / theirs[round]!);
  return median(ratios.flatMap((a, at) => ratios.slice(at).map((b) => Math.sqrt(a * b))));
}

export function ratio(ours: number, theirs: number): string {
  return (ours / theirs).toFixed(2);
}

export function rate(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Columns as wide as their widest cell; the first to the left, figures to the right. */
export function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  const line = (row: string[]) =>
    widths
      .map((width, at) =>
        at === 0 ? (row[at] ?? "").padEnd(width) : (row[at] ?? "").padStart(width),
      )
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)].join(
    "\n",
  );
}
