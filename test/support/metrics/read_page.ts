/** Reads a page of charts as a browser gets it: its charts' figures, and the figures above them. */
import assert from "node:assert/strict";

export interface ReadChart {
  unit: string;
  start: number;
  step: number;
  /** By line. */
  values: Map<string, (number | null)[]>;
  option: Record<string, unknown>;
}

export function chartIn(html: string, id: string): ReadChart {
  const found = new RegExp(`data-chart="${id}">(.*?)</script>`, "s").exec(html);
  assert.ok(found, `a chart ${id}`);
  const { unit, start, step, option } = JSON.parse(found[1]!);
  const values = new Map<string, (number | null)[]>(
    option.series.map((one: { name: string; data: (number | null)[] }) => [one.name, one.data]),
  );
  return { unit, start, step, values, option };
}

export function figureIn(html: string, id: string): string {
  const found = new RegExp(`id="figure-${id}">(.*?)</b>`).exec(html);
  assert.ok(found, `a figure ${id}`);
  return found[1]!;
}
