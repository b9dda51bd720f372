/** What this server answered by route, as a table in the order that a link asks for. */
import { count, duration, percent } from "../format.ts";
import type { PagePart } from "../metrics/metric_page.ts";
import type { RouteFigures, Traffic } from "../traffic.ts";

export interface Sort {
  id: string;
  label: string;
  /** Texts stand from A, figures from the greatest. */
  isText?: boolean;
  of(row: RouteFigures): string | number;
}

export const SORTS: readonly Sort[] = [
  { id: "method", label: "Method", isText: true, of: (row) => row.method },
  { id: "route", label: "Route", isText: true, of: (row) => row.route },
  { id: "requests", label: "Requests", of: (row) => row.requests },
  { id: "mean", label: "Mean", of: (row) => row.meanMs },
  { id: "p95", label: "p95", of: (row) => row.p95Ms },
  { id: "refused", label: "4xx", of: (row) => row.refused },
  { id: "failed", label: "5xx", of: (row) => row.failed },
];

/** The busiest first, where nothing that is known is asked for. */
export function sortOf(id: string): Sort {
  return SORTS.find((sort) => sort.id === id) ?? SORTS[2]!;
}

export function sortRoutes(rows: readonly RouteFigures[], { of, isText }: Sort): RouteFigures[] {
  const sign = isText ? 1 : -1;
  return rows.toSorted((a, b) => sign * (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0));
}

/** @param hrefOf the page's address with the table in that order */
export function httpPart(
  traffic: Pick<Traffic, "figures" | "since">,
  asked: string,
  hrefOf: (sort: string) => string,
): PagePart {
  const current = sortOf(asked);
  const heads = SORTS.map(({ id, label, isText }) => ({
    ...{ label, isText: isText === true, isCurrent: id === current.id },
    direction: isText === true ? "ascending" : "descending",
    href: `${hrefOf(id)}#http`,
  }));
  const model = { heads, ...httpModel(traffic.figures(), current), since: traffic.since };
  return { id: "http", template: "_shared/_http", model };
}

export function httpModel(rows: readonly RouteFigures[], sort: Sort) {
  return {
    rows: sortRoutes(rows, sort).map((row) => ({
      ...{ method: row.method, route: row.route, requests: count(row.requests) },
      ...{ mean: duration(row.meanMs), p95: duration(row.p95Ms) },
      refused: errors(row.refused, row.requests),
      failed: errors(row.failed, row.requests),
    })),
  };
}

function errors(n: number, of: number): string {
  return n === 0 ? "0" : `${count(n)} (${percent(n / of)})`;
}
