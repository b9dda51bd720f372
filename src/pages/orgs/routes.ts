/** `/board/orgs` and `/board/orgs/{org}`: organizations, who is in them, and what opens them. */
import { Refused } from "../../accounts/refused.ts";
import { may } from "../../core/scope.ts";
import { originOf } from "../../web/auth.ts";
import { refusedStatus } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import type { BoardContext, BoardPage, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { ACTIONS, type Action, type Once } from "./actions.ts";
import { readOrg } from "./queries.ts";
import { listModel, orgModel } from "./view.ts";
import { seenOrg } from "./whose.ts";

const HOME = "/board/orgs";

export const orgsPage: BoardPage = {
  id: "orgs",
  nav: { label: "Organizations", href: HOME, icon: "overview", group: "Server" },
  mount: (app, shell) => {
    app.get(HOME, (c: BoardContext) => showList(c, shell));
    app.post(HOME, (c: BoardContext) => create(c, shell));
    app.get(`${HOME}/:org`, (c: BoardContext) => showOrg(c, shell, {}));
    for (const action of ACTIONS) {
      app.post(`${HOME}/:org/${action.path}`, (c: BoardContext) => act(c, shell, action));
    }
  },
};

interface Shown {
  problem?: string | null;
  /** A secret that was just made. */
  once?: (Once & { origin: string }) | null;
}

function showList(c: BoardContext, shell: Shell, problem: string | null = null, status = 200) {
  const model = listModel(c.get("caller").scope, shell.deps.directory, problem);
  return shell.page(c, "orgs/index", model, { title: "Organizations", nav: "orgs", status });
}

async function create(c: BoardContext, shell: Shell): Promise<Response> {
  const { author, scope } = c.get("caller");
  const fields = await readForm(c.req.raw);
  const name = (fields.get("name") ?? "").trim();
  try {
    if (!scope.isSuperuser) throw new Refused("forbidden", "Only superusers make organizations.");
    const settings = { title: fields.get("title"), isPublic: fields.has("public") };
    await shell.deps.accounts.organizations.create(name, settings, author);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return showList(c, shell, error.message, refusedStatus(error));
  }
  await shell.deps.directory.refresh();
  return go(`${HOME}/${name}`);
}

async function showOrg(c: BoardContext, shell: Shell, shown: Shown, status = 200) {
  const org = seenOrg(c, shell);
  const caller = c.get("caller");
  const manages = may(caller.scope, org.id, "manage");
  const facts = manages ? await readOrg(shell.deps, caller, org) : null;
  const model = {
    ...orgModel(caller, org, facts, shell.deps.engine.now()),
    problem: null,
    once: null,
    ...shown,
  };
  return shell.page(c, "orgs/org", model, { title: org.title ?? org.name, nav: "orgs", status });
}

/** A form of the page: done and led back to it, or shown again with what was wrong. */
async function act(c: BoardContext, shell: Shell, action: Action): Promise<Response> {
  const org = seenOrg(c, shell);
  const caller = c.get("caller");
  const fields = await readForm(c.req.raw);
  const id = c.req.param("id") ?? "";
  try {
    const once = await action.run({ deps: shell.deps, caller, org, fields, id });
    if (once) return showOrg(c, shell, { once: { ...once, origin: originOf(c.req.raw) } }, 201);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return showOrg(c, shell, { problem: error.message }, refusedStatus(error));
  }
  return go(action.leaves === true ? HOME : `${HOME}/${org.name}`);
}
