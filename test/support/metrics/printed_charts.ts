/** What a page of charts has printed: its charts' figures, its tables, its figures above them. */

export interface PrintedChart {
  kind: string;
  unit: string;
  start?: number;
  step?: number;
  /** Lines by name. */
  lines: Record<string, (number | null)[]>;
  /** Of bars and radars. */
  labels: string[];
}

export function chartOf(html: string, id: string): PrintedChart {
  const found = new RegExp(`<script[^>]*data-chart="${id}">(.*?)</script>`, "s").exec(html);
  if (!found) throw new Error(`There is no chart ${id}.`);
  const { kind, unit, start, step, option } = JSON.parse(found[1]!);
  const lines = kind === "radar" ? option.series[0].data : option.series;
  const axis = option.xAxis?.data ?? option.yAxis?.data ?? [];
  const corners = option.radar?.indicator.map((one: { name: string }) => one.name);
  return {
    ...{ kind, unit, start, step, labels: corners ?? axis },
    lines: Object.fromEntries(
      lines.map((line: { name: string; data?: unknown; value?: unknown }) => [
        line.name,
        line.data ?? line.value,
      ]),
    ),
  };
}

/** Body rows of a table, as text a cell. */
export function tableRows(html: string, id: string): string[][] {
  const found = new RegExp(`<table[^>]*id="${id}">.*?<tbody>(.*?)</tbody>`, "s").exec(html);
  if (!found) return [];
  return [...found[1]!.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) =>
      cell!.replace(/<[^>]*>/g, "").trim(),
    ),
  );
}

export function figureOf(html: string, id: string): string {
  return new RegExp(`id="figure-${id}">([^<]*)<`).exec(html)?.[1] ?? "";
}

/** Charts carry four digits that count. */
export function printed(value: number | null): number | null {
  return value === null || Number.isInteger(value) ? value : Number(value.toPrecision(4));
}
