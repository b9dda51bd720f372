/** What the page of the job service shows, as it stands in its address. */
import { cleanText } from "../../core/storable.ts";

export const HOME = "/board/service";
export const TABS = ["queues", "schedules", "workers"] as const;
export type Tab = (typeof TABS)[number];

export interface ServiceFilter {
  tab: Tab;
  /** Empty: all that are seen. */
  org: string;
  /** Part of a name. */
  q: string;
  /** Id of the worker whose slots are shown; empty: the first. */
  worker: string;
}

const WORD_MAX = 128;

export function parseServiceFilter(params: URLSearchParams): ServiceFilter {
  const word = (key: string) => cleanText((params.get(key) ?? "").trim().slice(0, WORD_MAX));
  const tab = TABS.find((one) => one === params.get("tab")) ?? "queues";
  return { tab, org: word("org"), q: word("q"), worker: word("worker").toLowerCase() };
}

/** Equal texts ask for the same. */
export function serviceQuery(
  filter: ServiceFilter,
  more: Partial<Record<keyof ServiceFilter, string>> = {},
): string {
  const { tab, org, q, worker } = { ...filter, ...more };
  const params = new URLSearchParams();
  if (tab !== "queues") params.set("tab", tab);
  if (org !== "") params.set("org", org);
  if (q !== "") params.set("q", q);
  if (tab === "workers" && worker !== "") params.set("worker", worker);
  return params.toString();
}

export function serviceHref(
  filter: ServiceFilter,
  more: Partial<Record<keyof ServiceFilter, string>> = {},
): string {
  const query = serviceQuery(filter, more);
  return query === "" ? HOME : `${HOME}?${query}`;
}
