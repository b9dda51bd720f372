/**
 * Signalbox's own maintenance, shown as if it were an organization. It has no row in `org`, so that
 * nothing can be submitted to it, nobody can be a member of it, and no other page counts it.
 */

/** Below every real id, and not that of the shared fleet. */
export const SYSTEM_ORG_ID = -2;
export const SYSTEM_ORG = "system";

export function isSystem(org: string | number): boolean {
  return org === SYSTEM_ORG || org === SYSTEM_ORG_ID;
}

/** What maintenance there is, by the name that its runs bear. */
export const MAINTENANCE_TASKS = [
  "rollups",
  "retention",
  "staging",
  "schedules",
  "alerts",
  "deliveries",
] as const;
export type MaintenanceTask = (typeof MAINTENANCE_TASKS)[number];

/** Maintenance that has a beat of its own, in seconds: what it may be late by is some minutes. */
export const OWN_INTERVALS: Readonly<Partial<Record<string, number>>> = {
  rollups: 300,
  retention: 3_600,
  alerts: 300,
};
