/** `/board/people`: everybody with an account on this server, for superusers. */
import { randomBytes } from "node:crypto";
import { PASSWORD_MIN } from "../../accounts/identity.ts";
import { Refused } from "../../accounts/refused.ts";
import { cleanText } from "../../core/storable.ts";
import { PageError, refusedStatus } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import type { BoardContext, BoardPage, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";

const HOME = "/board/people";
const PAGE = 100;

export const peoplePage: BoardPage = {
  id: "people",
  nav: {
    ...{ label: "People", href: HOME, icon: "person", group: "Server" },
    only: ({ isSuperuser }) => isSuperuser,
  },
  mount: (app, shell) => {
    app.get(HOME, (c: BoardContext) => show(c, shell, {}));
    app.post(HOME, (c: BoardContext) => create(c, shell));
    app.post(`${HOME}/:id/superuser`, (c: BoardContext) => setSuperuser(c, shell));
    app.post(`${HOME}/:id/remove`, (c: BoardContext) => remove(c, shell));
  },
};

interface Shown {
  problem?: string;
  field?: string | null;
  name?: string;
  email?: string;
  /** A new person's first password, shown this once. */
  made?: { name: string; email: string; password: string };
}

async function show(c: BoardContext, shell: Shell, shown: Shown, status = 200): Promise<Response> {
  onlySuperusers(c);
  const after = cleanText(c.req.query("after") ?? "");
  const found = await shell.deps.authentication.people.list({ after, limit: PAGE + 1 });
  const model = {
    people: found.slice(0, PAGE).map((one) => ({ ...one, createdAt: one.createdAt.getTime() })),
    next: found.length > PAGE ? found[PAGE - 1]!.id : null,
    me: c.get("caller").credential.person,
    passwordMin: PASSWORD_MIN,
    problem: null,
    field: null,
    name: "",
    email: "",
    made: null,
    ...shown,
  };
  return shell.page(c, "people/index", model, { title: "People", nav: "people", status });
}

async function create(c: BoardContext, shell: Shell): Promise<Response> {
  onlySuperusers(c);
  const fields = await readForm(c.req.raw);
  const name = fields.get("name") ?? "";
  const email = fields.get("email") ?? "";
  const isSuperuser = fields.has("superuser");
  const password = randomBytes(15).toString("base64url");
  const { author } = c.get("caller");
  try {
    const input = { name, email, password, isSuperuser };
    const made = await shell.deps.authentication.people.create(input, author);
    return show(c, shell, { made: { name: made.name, email: made.email, password } }, 201);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { message: problem, field } = error;
    return show(c, shell, { problem, field, name, email }, 422);
  }
}

async function setSuperuser(c: BoardContext, shell: Shell): Promise<Response> {
  onlySuperusers(c);
  const fields = await readForm(c.req.raw);
  const id = c.req.param("id") ?? "";
  const { people } = shell.deps.authentication;
  return act(c, shell, () => people.setSuperuser(id, fields.get("to") === "yes", author(c)));
}

async function remove(c: BoardContext, shell: Shell): Promise<Response> {
  onlySuperusers(c);
  const id = c.req.param("id") ?? "";
  const { people } = shell.deps.authentication;
  return act(c, shell, () => people.remove(id, author(c), null));
}

async function act(c: BoardContext, shell: Shell, work: () => Promise<boolean>): Promise<Response> {
  try {
    if (!(await work())) throw new PageError(404, "Nobody", "There is no such person.");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return show(c, shell, { problem: error.message }, refusedStatus(error));
  }
  return go(HOME);
}

function author(c: BoardContext) {
  return c.get("caller").author;
}

function onlySuperusers(c: BoardContext): void {
  if (c.get("caller").scope.isSuperuser) return;
  throw new PageError(403, "Not yours", "Only superusers see the people of this server.");
}
