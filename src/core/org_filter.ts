/** Sets of organizations that a question is about, and that may be all there are. Pure. */
import type { OrgFilter } from "./scope.ts";

export function covers(filter: OrgFilter, org: number): boolean {
  return filter === "all" || filter.includes(org);
}

/** Whether these workers are meant too: those without an organization are shared, where `shared` says so. */
export function coversWorker(
  { orgs, shared }: { orgs: OrgFilter; shared: boolean },
  org: number | null,
): boolean {
  return org === null ? shared : covers(orgs, org);
}

/** What any of them covers. */
export function unionOf(filters: readonly OrgFilter[]): OrgFilter {
  return filters.includes("all") ? "all" : [...new Set(filters.flat() as number[])];
}

/** What is left where only this one is asked for. */
export function onlyOrg(filter: OrgFilter, org: number): OrgFilter {
  return covers(filter, org) ? [org] : [];
}

/** Equal keys are equal sets. */
export function orgsKey(filter: OrgFilter): string {
  return filter === "all" ? "all" : filter.join();
}
