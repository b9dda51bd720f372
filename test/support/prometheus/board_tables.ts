/** What the board tells of background jobs, as it is downloaded: the tables behind its panels. */
import { ADMIN_TOKEN } from "../system.ts";

export type Cell = string | number | null;
export type Row = Record<string, Cell>;

export async function boardTable(port: number, chart: string): Promise<Row[]> {
  const url = `http://127.0.0.1:${port}/board/background?chart=${chart}&format=json`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  const { columns, rows } = (await answer.json()) as { columns: string[]; rows: Cell[][] };
  return rows.map((cells) => Object.fromEntries(cells.map((cell, at) => [columns[at]!, cell])));
}

/** Of a chart over time: each line's sum. */
export async function boardSums(port: number, chart: string): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { bucket_start: _, ...lines } of await boardTable(port, chart)) {
    for (const [line, n] of Object.entries(lines)) sums[line] = (sums[line] ?? 0) + Number(n ?? 0);
  }
  return sums;
}
