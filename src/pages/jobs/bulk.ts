/**
 * Cancel and retry of all that match, or of ticked rows: first a page that says how many would be hit,
 * then the operation. In one organization at a time, for superusers too: an operation and its rows in
 * the audit log are an organization's, and whoever may operate in one may not in the next.
 */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { ABILITIES, may, type Scope, seenOrgs, sees } from "../../core/scope.ts";
import type { FilterFields } from "../../core/search/fields.ts";
import { parseSearch } from "../../core/search/parse.ts";
import { printSearch } from "../../core/search/print.ts";
import { clipText } from "../../core/storable.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import type { BulkAsk, BulkKind } from "../../engine/engine.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import type { BoardContext, BoardDeps, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { previewModel } from "./bulk_view.ts";
import { orgsAsked } from "./queries.ts";

const SEARCH_MAX = 4_000;
const TICKED_MAX = 200;
const ORGS_SHOWN_MAX = 50;
/** How long an operation can be called off before it begins. */
export const UNDO_SECONDS = 10;
/** After that a preview says nothing any more. */
const PREVIEW_MS = 15 * 60_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

interface Wanted {
  kind: BulkKind;
  isTicked: boolean;
  /** As it is printed. */
  q: string;
  ids: string[];
  org: string;
}

export async function previewBulk(c: BoardContext, shell: Shell): Promise<Response> {
  const wanted = readWanted(new URL(c.req.url).searchParams);
  return showPreview(c, shell, wanted);
}

export async function confirmBulk(c: BoardContext, shell: Shell): Promise<Response> {
  const { via, author, scope } = c.get("caller");
  if (via === "cookie" && !isSameOrigin(c.req.raw)) {
    throw new PageError(403, "Refused", "That request came from another site.");
  }
  const form = await readForm(c.req.raw);
  const query = new URL(c.req.url).searchParams;
  const wanted = readWanted(form.has("do") ? form : query);
  const org = await chosenOrg(shell.deps, scope, wanted);
  if (org === null) return showPreview(c, shell, wanted);
  const now = shell.deps.engine.now();
  const asOf = Number(form.get("at") ?? now);
  if (!Number.isFinite(asOf) || asOf > now + 60_000 || asOf < now - PREVIEW_MS) {
    return showPreview(c, shell, wanted, "That was counted too long ago. This is how it is now.");
  }
  const reason = clipText((form.get("reason") ?? "").trim(), 200);
  const options = { delaySeconds: UNDO_SECONDS, ...(reason === "" ? {} : { reason }) };
  const ask = askOf(wanted, org, asOf);
  const { operation } = await shell.deps.engine.bulk.begin(ask, options, author);
  return go(`/board/jobs/operations/${operation}`);
}

async function showPreview(c: BoardContext, shell: Shell, wanted: Wanted, notice = "") {
  const { deps } = shell;
  const { scope } = c.get("caller");
  const org = await chosenOrg(deps, scope, wanted);
  const now = deps.engine.now();
  const preview =
    org === null
      ? null
      : await deps.engine.bulk.preview(askOf(wanted, org, now), { isWhole: scope.isSuperuser });
  const orgs = org === null ? await operable(deps, scope, wanted) : [];
  const model = previewModel({ ...wanted, chosen: org, preview, orgs, at: now, notice });
  return shell.page(c, "jobs/bulk", model, { title: model.title, nav: "jobs" });
}

function askOf({ kind, isTicked, q, ids }: Wanted, org: string, asOf: number): BulkAsk {
  const filter: FilterFields = isTicked ? { ids } : { q };
  return { kind, org, filter, asOf };
}

function readWanted(params: URLSearchParams): Wanted {
  const found = /^(cancel|retry)-(all|ticked)$/.exec(params.get("do") ?? "");
  if (!found)
    throw new PageError(422, "Nothing was asked", "Go back to the jobs and choose there.");
  const isTicked = found[2] === "ticked";
  const { terms, problems } = parseSearch(clipText(params.get("q") ?? "", SEARCH_MAX));
  if (problems.length > 0) throw new PageError(422, "That cannot be searched", problems.join(" "));
  const ids = [...new Set(params.getAll("id").map((id) => id.toLowerCase()))];
  if (isTicked && (ids.length === 0 || !ids.every((id) => UUID.test(id)))) {
    throw new PageError(
      422,
      "No job is ticked",
      "Go back, tick the jobs that you mean, and try again.",
    );
  }
  if (ids.length > TICKED_MAX) {
    const detail = `At most ${TICKED_MAX} jobs can be ticked. Narrow the search and take all of them.`;
    throw new PageError(422, "Too many are ticked", detail);
  }
  const kind = found[1] as BulkKind;
  return { kind, isTicked, q: printSearch(terms), ids, org: params.get("org") ?? "" };
}

/** The one that is named, or the only one that is possible; null where it is to be chosen. */
async function chosenOrg(deps: BoardDeps, scope: Scope, wanted: Wanted): Promise<string | null> {
  if (wanted.org === "") {
    const possible = await operable(deps, scope, wanted);
    if (possible.length === 0) throw mayNot();
    return possible.length === 1 ? possible[0]! : null;
  }
  const org = deps.directory.byName(wanted.org);
  if (!org || !sees(scope, org.id)) {
    const detail = "There is none of that name that you may see.";
    throw new PageError(404, "No such organization", detail);
  }
  if (!may(scope, org.id, "operate")) throw mayNot();
  return org.name;
}

/** Names of the organizations that are asked of and that the caller operates in. */
async function operable(deps: BoardDeps, scope: Scope, wanted: Wanted): Promise<string[]> {
  const orgs = wanted.isTicked
    ? await orgsOf(deps, scope, wanted.ids)
    : orgsAsked(deps, scope, parseSearch(wanted.q).terms);
  const asked = [...deps.directory.all].filter(({ id }) => orgs === "all" || orgs.includes(id));
  const names = asked.filter(({ id }) => may(scope, id, "operate")).map(({ name }) => name);
  return names.sort().slice(0, ORGS_SHOWN_MAX);
}

async function orgsOf({ database }: BoardDeps, scope: Scope, ids: string[]): Promise<number[]> {
  const sql = database.reads;
  const rows = await sql<{ org_id: number }[]>`
    select distinct j.org_id from job j
    where j.id = any(${ids}::uuid[]) ${andOfOrgs(sql, sql`j.org_id`, seenOrgs(scope))}`;
  return rows.map((row) => row.org_id);
}

function mayNot(): PageError {
  const needs = `Needs the role ${ABILITIES.operate} in the organization of the jobs.`;
  return new PageError(403, "You may not do that", `${needs} An admin of it can give it to you.`);
}
