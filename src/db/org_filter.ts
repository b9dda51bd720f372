/**
 * A scope as a condition inside a statement. What the caller may not see and what is not there are
 * then one and the same to it: no row, found by the same words.
 */
import { orgsKey } from "../core/org_filter.ts";
import type { OrgFilter } from "../core/scope.ts";
import type { Sql, Transaction } from "./client.ts";

type Fragment = ReturnType<Sql>;

/** `and` that the row is of these organizations; nothing where all are meant. */
export function andOfOrgs(sql: Sql | Transaction, column: Fragment, orgs: OrgFilter): Fragment {
  if (orgs === "all") return sql`` as Fragment;
  return sql`and ${column} = any(${orgs as number[]}::int[])` as Fragment;
}

/** The same for workers: those without an organization are shared, where `shared` says so. */
export function andOfFleet(
  sql: Sql | Transaction,
  column: Fragment,
  { orgs, shared }: FleetFilter,
): Fragment {
  if (orgs === "all" && shared) return sql`` as Fragment;
  const own =
    orgs === "all" ? sql`${column} is not null` : sql`${column} = any(${orgs as number[]}::int[])`;
  return sql`and (${own} ${shared ? sql`or ${column} is null` : sql``})` as Fragment;
}

/** Equal keys mean the same workers. */
export function fleetKey({ orgs, shared }: FleetFilter): string {
  return `${orgsKey(orgs)}${shared ? "+" : ""}`;
}

/** Whose workers are meant. */
export interface FleetFilter {
  orgs: OrgFilter;
  /** Those that all organizations share, too. */
  shared: boolean;
}
