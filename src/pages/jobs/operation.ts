/** One operation: how far it is, live, and the way to undo it. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { ABILITIES, may, seenOrgs } from "../../core/scope.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import { type OperationRow, readOperation } from "../../web/jobs/operation.ts";
import { operationModel } from "../../web/jobs/operation_words.ts";
import { type BoardContext, isHtmx, type Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { jobsHref } from "./view.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export async function showOperation(c: BoardContext, shell: Shell): Promise<Response> {
  return print(c, shell, await seenOperation(c, shell));
}

export async function undoOperation(c: BoardContext, shell: Shell): Promise<Response> {
  const { via, author, scope } = c.get("caller");
  if (via === "cookie" && !isSameOrigin(c.req.raw)) {
    throw new PageError(403, "Refused", "That request came from another site.");
  }
  const row = await seenOperation(c, shell);
  if (!may(scope, row.org_id, "operate")) {
    const needs = `Needs the role ${ABILITIES.operate} in ${row.org}.`;
    throw new PageError(403, "You may not do that", `${needs} An admin of it can give it to you.`);
  }
  const reason = ((await readForm(c.req.raw)).get("reason") ?? "").trim().slice(0, 200);
  const result = await shell.deps.engine.bulk.undo(row.id, author, reason || undefined);
  // Too late is no error to htmx: the fragment says what has been done instead.
  if (isHtmx(c)) return print(c, shell, await seenOperation(c, shell));
  if (!result.ok) {
    throw new PageError(result.code === "not_found" ? 404 : 409, "Not undone", result.reason);
  }
  return go(`/board/jobs/operations/${row.id}`);
}

function print(c: BoardContext, shell: Shell, row: OperationRow): Response {
  const operates = may(c.get("caller").scope, row.org_id, "operate");
  const words = operationModel(row, shell.deps.engine.now(), operates);
  const model = { ...words, back: jobsHref(words.search) };
  if (isHtmx(c)) return shell.fragment(c, "jobs/_operation", model);
  return shell.page(c, "jobs/operation", model, { title: model.title, nav: "jobs" });
}

async function seenOperation(c: BoardContext, shell: Shell): Promise<OperationRow> {
  const id = (c.req.param("id") ?? "").toLowerCase();
  const orgs = seenOrgs(c.get("caller").scope);
  const row = UUID.test(id) ? await readOperation(shell.deps.database.reads, id, orgs) : null;
  if (row !== null) return row;
  throw new PageError(
    404,
    "There is no such operation",
    "The address is wrong, or it is not yours.",
  );
}
