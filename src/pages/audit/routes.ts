/** `/board/audit`: who changed what, for those who manage an organization. */
import type { Organization } from "../../accounts/directory.ts";
import type { OrgFilter, Scope } from "../../core/scope.ts";
import { auditedOrgs } from "../../web/audit/filter.ts";
import { readAudit } from "../../web/audit/rows.ts";
import { PageError } from "../../web/errors.ts";
import type { BoardContext, BoardPage, Shell } from "../../web/shell.ts";
import { type AuditForm, filterOf, parseForm, problemsOf } from "./form.ts";
import { pageModel } from "./view.ts";

const PAGE_ROWS = 100;

export const auditPage: BoardPage = {
  id: "audit",
  nav: {
    ...{ label: "Audit log", href: "/board/audit", icon: "audit", group: "Administration" },
    only: (scope) => scope.isSuperuser || auditedOrgs(scope).length > 0,
  },
  mount: (app, shell) => {
    app.get("/board/audit", (c: BoardContext) => show(c, shell));
  },
};

async function show(c: BoardContext, shell: Shell): Promise<Response> {
  const { searchParams } = new URL(c.req.url);
  const { database, directory } = shell.deps;
  const { scope } = c.get("caller");
  const form = parseForm(searchParams);
  const managed = managedOrgs(scope, [...directory.all]);
  const filter = filterOf(form, orgsOf(form, scope, managed));
  const before = positionOf(searchParams.get("before"));
  const page = await readAudit(database.reads, filter, { before, limit: PAGE_ROWS });
  const model = pageModel({
    form,
    problems: problemsOf(form),
    orgs: managed.map((org) => org.name),
    page,
    isOlder: before !== null,
  });
  return shell.page(c, "audit/index", model, { title: "Audit log", nav: "audit" });
}

function managedOrgs(scope: Scope, all: readonly Organization[]): Organization[] {
  const ids = auditedOrgs(scope);
  const managed = ids === "all" ? [...all] : all.filter((org) => ids.includes(org.id));
  if (ids !== "all" && managed.length === 0) {
    const detail =
      "The audit log is for admins and owners of an organization. One of them can make you one.";
    throw new PageError(403, "Not your log", detail);
  }
  return managed.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function orgsOf(form: AuditForm, scope: Scope, managed: readonly Organization[]): OrgFilter {
  if (form.org === "") return auditedOrgs(scope);
  const org = managed.find(({ name }) => name === form.org);
  if (org) return [org.id];
  const detail = "There is none of that name, or you do not manage it.";
  throw new PageError(404, "No such organization", detail);
}

/** A position that is none begins with the newest. */
function positionOf(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
