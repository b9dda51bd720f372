/** Whose workers a page or a question is about: those that its caller sees, or those of one organization. */
import { askedOrgs, seenFleet } from "../../accounts/asked_orgs.ts";
import type { Directory } from "../../accounts/directory.ts";
import type { Scope } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { type FleetSize, readFleetSize } from "../../db/fleet.ts";
import type { FleetFilter } from "../../db/org_filter.ts";
import { count, plural } from "../format.ts";

/** `org` empty: all that are seen, and those that all share. Of one organization: its own. */
export function askedFleet(
  directory: Pick<Directory, "byName">,
  scope: Scope,
  org: string,
): FleetFilter {
  const seen = seenFleet(scope);
  if (org === "") return seen;
  return { orgs: askedOrgs(directory as Directory, seen.orgs, org), shared: false };
}

export function askedFleetSize(reads: Sql, scope: Scope, asked: FleetFilter): Promise<FleetSize> {
  return readFleetSize(reads, asked, seenFleet(scope));
}

/** What is hidden, in a sentence; nothing where nothing is. */
export function hiddenNote({ workers }: FleetSize): string[] {
  if (workers.hidden === 0) return [];
  const { visible, total, hidden } = workers;
  const all = plural(total, "connected worker");
  return [
    `You see ${count(visible)} of ${all}: ${count(hidden)} of other organizations are hidden, and are counted in nothing else here.`,
  ];
}
