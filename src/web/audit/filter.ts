/** Which rows of the audit log are asked for: by page and API with the same words. Pure. */
import { may, type OrgFilter, type Scope } from "../../core/scope.ts";

export interface AuditFilter {
  /** Organizations whose rows may be read; "all" includes those of the instance. */
  orgs: OrgFilter;
  /** Part of a name, or a whole person id, token id or address. Empty texts ask for nothing. */
  actor: string;
  /** `queue.pause`, or `queue` for all that is done to queues. */
  action: string;
  objectKind: string;
  objectId: string;
  /** Epoch milliseconds, the first included and the last not. */
  from: number | null;
  to: number | null;
}

/** The organizations whose log somebody may read: those that they manage. */
export function auditedOrgs(scope: Scope): OrgFilter {
  if (scope.isSuperuser) return "all";
  return [...scope.roles.keys()].filter((org) => may(scope, org, "manage")).sort((a, b) => a - b);
}

/** "2026-11-21" or "2026-11-21T14:02", as the fields of a form send them, or RFC 3339; UTC if unsaid. */
export function parseInstant(text: string): number | null {
  const form = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?(Z|[+-]\d\d:\d\d)?$/i;
  const found = form.exec(text);
  if (!found) return null;
  const at = Date.parse(`${found[1]}T${found[2] ?? "00:00"}${(found[3] ?? "Z").toUpperCase()}`);
  return Number.isNaN(at) ? null : at;
}
