/** The audit log: of an organization, of all that the caller manages, and of one job. */
import { z } from "zod";
import { type OrgFilter, sees } from "../../core/scope.ts";
import { type AuditFilter, auditedOrgs } from "../../web/audit/filter.ts";
import { readAudit, readObjectAudit } from "../../web/audit/rows.ts";
import { cursorParam, encodeCursor, listOf, NUMBER } from "../cursor.ts";
import type { ApiDeps } from "../deps.ts";
import { notFound, orgOf } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { idParams, invalid, limitParam } from "../query.ts";
import { ok, type Reply, type Route, route } from "../route.ts";
import { EXPORT_PAGE, exportAudit } from "./export.ts";
import {
  type AuditQuery,
  allAuditQuery,
  auditEntry,
  auditQuery,
  changeView,
  entryView,
  jobChange,
} from "./schemas.ts";

const tag = "Audit log";
const PAGE_DEFAULT = 100;
const answers = {
  200: {
    description: "Newest first; a page of a search may be empty and still have a next one",
    schema: listOf(auditEntry),
    texts: ["text/csv", "application/x-ndjson"],
  },
};

const ofOrg = route({
  method: "get",
  path: "/orgs/{org}/audit",
  tag,
  summary: "Who changed what in an organization",
  description: "For those who manage it.",
  params: z.strictObject({ org: z.string().max(63) }),
  query: auditQuery,
  answers,
  handle: ({ params, query, caller, deps }) =>
    answer(deps, query, [orgOf(deps, caller, params.org, "manage").id], params.org),
});

const ofAll = route({
  method: "get",
  path: "/audit",
  tag,
  summary: "Who changed what in all organizations that the caller manages",
  description: "Superusers see changes of the whole instance too; their `org` is null.",
  query: allAuditQuery,
  answers,
  handle: ({ query: { org, ...query }, caller, deps }) => {
    if (org !== undefined) return answer(deps, query, [orgOf(deps, caller, org, "manage").id], org);
    const orgs = auditedOrgs(caller.scope);
    if (orgs !== "all" && orgs.length === 0) {
      throw new ApiProblem("forbidden", "You manage no organization, so there is no log for you.");
    }
    return answer(deps, query, orgs, "all");
  },
});

const ofJob = route({
  method: "get",
  path: "/jobs/{id}/audit",
  tag,
  summary: "What people did to a job",
  description: "For everybody who sees the job; from where they did it only its log says.",
  params: idParams,
  query: z.strictObject({ cursor: cursorParam(NUMBER), limit: limitParam }),
  answers: { 200: { description: "Newest first", schema: listOf(jobChange) } },
  handle: async ({ params, query, caller, deps }) => {
    const { reads } = deps.database;
    const [job] = await reads`select org_id from job where id = ${params.id}`;
    if (job === undefined || !sees(caller.scope, job.org_id as number)) {
      throw notFound("job", params.id);
    }
    const found = await readObjectAudit(reads, { kind: "job", id: params.id }, positionOf(query));
    return ok(pageOf(found.rows.map(changeView), found.next));
  },
});

export const auditRoutes: readonly Route[] = [ofOrg, ofAll, ofJob];

async function answer(
  deps: ApiDeps,
  query: AuditQuery,
  orgs: OrgFilter,
  name: string,
): Promise<Reply> {
  const { reads } = deps.database;
  const filter = filterOf(query, orgs);
  if (query.format === undefined || query.format === "json") {
    const { rows, next } = await readAudit(reads, filter, positionOf(query));
    return ok(pageOf(rows.map(entryView), next));
  }
  for (const path of ["cursor", "limit"] as const) {
    if (query[path] === undefined) continue;
    const message = `cannot be used with format ${query.format}, which gives everything: leave it out`;
    throw invalid([{ path, in: "query", message }]);
  }
  return exportAudit(query.format, name, (before) =>
    readAudit(reads, filter, { before, limit: EXPORT_PAGE }),
  );
}

function filterOf(query: AuditQuery, orgs: OrgFilter): AuditFilter {
  return {
    orgs,
    actor: query.actor ?? "",
    action: query.action ?? "",
    objectKind: query.object_kind ?? "",
    objectId: query.object_id ?? "",
    from: query.from ?? null,
    to: query.to ?? null,
  };
}

function positionOf({ cursor, limit }: Pick<AuditQuery, "cursor" | "limit">) {
  return { before: cursor === undefined ? null : Number(cursor), limit: limit ?? PAGE_DEFAULT };
}

function pageOf<T>(items: T[], next: number | null) {
  return { items, next_cursor: next === null ? null : encodeCursor(String(next)) };
}
