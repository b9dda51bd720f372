/** Addresses of a page of charts: its own, with another range, with another pace. Pure. */
import { RANGE_DEFAULT, RANGE_NAMES, type RangeName } from "../../core/metrics/time_range.ts";
import type { NavItem } from "../shell.ts";
import { type MetricFilter, metricQuery } from "./metric_filter.ts";

export interface Placed {
  nav: Pick<NavItem, "href">;
  hasRange?: boolean;
  rangeDefault?: RangeName;
  refreshes?: readonly string[];
}

const STEP = /:(\w+)/g;

/** The page's own address, without a query. */
export function hrefOf(spec: Placed, { own }: MetricFilter): string {
  return spec.nav.href.replaceAll(STEP, (_, word) => encodeURIComponent(own[word] ?? ""));
}

/** Its address with what it is narrowed to; what stands in the path is not said again. */
export function metricHref(
  spec: Placed,
  filter: MetricFilter,
  more: Record<string, string> = {},
): string {
  const steps = [...spec.nav.href.matchAll(STEP)].map(([, word]) => [word!, ""]);
  const query = metricQuery(filter, { ...Object.fromEntries(steps), ...more });
  const href = hrefOf(spec, filter);
  return query === "" ? href : `${href}?${query}`;
}

export function rangeLinks(spec: Placed, filter: MetricFilter): object[] {
  if (spec.hasRange === false) return [];
  const isCustom = filter.from !== "" || filter.to !== "";
  return RANGE_NAMES.map((name) => ({
    name,
    href: metricHref(spec, { ...filter, range: name, from: "", to: "" }),
    isCurrent: !isCustom && (filter.range || spec.rangeDefault || RANGE_DEFAULT) === name,
  }));
}

export function refreshLinks(spec: Placed, filter: MetricFilter): object[] {
  const { refreshes = [] } = spec;
  const current = filter.own.refresh || refreshes[0];
  return refreshes.map((name) => ({
    ...{ name: name === "off" ? "off" : `${name} s`, isCurrent: name === current },
    href: metricHref(spec, { ...filter, own: { ...filter.own, refresh: name } }),
  }));
}
