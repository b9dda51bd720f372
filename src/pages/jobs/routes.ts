/** `/board/jobs`: all jobs, searched; other tabs of that address are other pages'. */
import type { Next } from "hono";
import { may } from "../../core/scope.ts";
import { askedAt, keyOffers, type Offer, valueOffers } from "../../core/search/complete.ts";
import { parseSearch } from "../../core/search/parse.ts";
import { printSearch } from "../../core/search/print.ts";
import { clipText } from "../../core/storable.ts";
import type { BoardContext, BoardPage, Shell } from "../../web/shell.ts";
import { confirmBulk, previewBulk } from "./bulk.ts";
import { decodeCursor } from "./cursor.ts";
import { valuesFor } from "./offers.ts";
import { showOperation, undoOperation } from "./operation.ts";
import { orgsAsked, readPage } from "./queries.ts";
import { chipModels, rowModel, spanModel } from "./view.ts";

const HOME = "/board/jobs";
export const SEARCH_MAX = 4_000;

export const jobsPage: BoardPage = {
  id: "jobs",
  nav: { label: "Jobs", href: HOME, icon: "search", group: "Now" },
  mount: (app, shell) => {
    app.get(HOME, (c: BoardContext, next: Next) => show(c, shell, next));
    app.get(`${HOME}/complete`, (c: BoardContext) => complete(c, shell));
    app.get(`${HOME}/bulk`, (c: BoardContext) => previewBulk(c, shell));
    app.post(`${HOME}/bulk`, (c: BoardContext) => confirmBulk(c, shell));
    app.get(`${HOME}/operations/:id`, (c: BoardContext) => showOperation(c, shell));
    app.post(`${HOME}/operations/:id/undo`, (c: BoardContext) => undoOperation(c, shell));
  },
};

async function show(c: BoardContext, shell: Shell, next: Next): Promise<Response | undefined> {
  const { searchParams } = new URL(c.req.url);
  // A tab of somebody else's: asked on.
  if (!["", "all"].includes(searchParams.get("tab") ?? "")) {
    await next();
    return undefined;
  }
  const typed = clipText(searchParams.get("q") ?? "", SEARCH_MAX).trim();
  const { terms, problems } = parseSearch(typed);
  const { scope } = c.get("caller");
  const { deps } = shell;
  const now = deps.engine.now();
  const shown = { typed, chips: chipModels(terms), problems };
  const options = { title: "Jobs", nav: "jobs" };
  // What was asked wrongly is not answered: less of a condition would show what nobody asked for.
  if (problems.length > 0) {
    return shell.page(c, "jobs/index", { ...shown, results: null }, options);
  }
  const orgs = orgsAsked(deps, scope, terms);
  const question = { terms, orgs, isWhole: scope.isSuperuser };
  const page = await readPage(deps, question, decodeCursor(searchParams.get("cursor")));
  const q = printSearch(terms);
  const rows = page.rows.map((row) => rowModel(row, now, may(scope, row.org_id, "operate")));
  const results = {
    rows,
    q,
    span: spanModel(page, q, now),
    isFiltered: terms.length > 0,
    operates: operatesSomewhere(scope, deps, orgs),
  };
  return shell.page(c, "jobs/index", { ...shown, results }, options);
}

function operatesSomewhere(
  scope: Parameters<typeof may>[0],
  { directory }: Shell["deps"],
  orgs: ReturnType<typeof orgsAsked>,
): boolean {
  const asked = orgs === "all" ? [...directory.all].map(({ id }) => id) : orgs;
  return asked.some((org) => may(scope, org, "operate"));
}

/** For the search box: what can be typed at the caret. */
async function complete(c: BoardContext, shell: Shell): Promise<Response> {
  const { searchParams } = new URL(c.req.url);
  const typed = clipText(searchParams.get("q") ?? "", SEARCH_MAX);
  const at = /^\d{1,5}$/.test(searchParams.get("at") ?? "") ? Number(searchParams.get("at")) : null;
  const asked = askedAt(typed, at ?? typed.length);
  const { scope } = c.get("caller");
  let offers: Offer[];
  if (asked.key === null) offers = keyOffers(typed, asked);
  else {
    const { key, prefix } = asked;
    offers = valueOffers(typed, asked, await valuesFor(shell.deps, scope, { key, prefix }));
  }
  return shell.fragment(c, "jobs/_options", { offers });
}
