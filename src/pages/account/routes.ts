/** `/board/account`: who you are here, your password, and the browsers in which you are signed in. */
import { PASSWORD_MAX, PASSWORD_MIN } from "../../accounts/identity.ts";
import { PageError, toWait } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import type { BoardContext, BoardPage, Shell } from "../../web/shell.ts";
import { go, peerOf, secured } from "../../web/sign_in.ts";
import { roleRows, sessionRows } from "./view.ts";

const HOME = "/board/account";

export const accountPage: BoardPage = {
  id: "account",
  mount: (app, shell) => {
    app.get(HOME, (c: BoardContext) => show(c, shell, null));
    app.post(`${HOME}/password`, (c: BoardContext) => changePassword(c, shell));
    app.post(`${HOME}/sessions/:id/revoke`, (c: BoardContext) => revoke(c, shell));
  },
};

async function show(
  c: BoardContext,
  shell: Shell,
  problem: string | null,
  status = 200,
): Promise<Response> {
  const { authentication, directory } = shell.deps;
  const { author, scope, credential } = c.get("caller");
  const { person } = credential;
  const [facts, sessions] = person
    ? await Promise.all([authentication.people.find(person), authentication.browsers.list(person)])
    : [null, []];
  const model = {
    name: author.name,
    email: facts?.email ?? null,
    isSuperuser: scope.isSuperuser,
    roles: roleRows(scope, directory),
    sessions: sessionRows(sessions, credential.session),
    passwordMin: PASSWORD_MIN,
    changed: c.req.query("changed") === "password",
    problem,
  };
  return shell.page(c, "account/index", model, { title: "Your account", nav: "account", status });
}

async function changePassword(c: BoardContext, shell: Shell): Promise<Response> {
  const { authentication, auth } = shell.deps;
  const { author, credential } = c.get("caller");
  const person = personOf(c);
  const fields = await readForm(c.req.raw);
  const current = fields.get("current") ?? "";
  const next = fields.get("next") ?? "";
  if (next.length < PASSWORD_MIN || next.length > PASSWORD_MAX) {
    const text = `A password has ${PASSWORD_MIN} to ${PASSWORD_MAX} characters.`;
    return show(c, shell, text, 422);
  }
  // Whoever holds a stolen session must not be able to guess on.
  const key = `person ${person}`;
  const wait = auth.failures.waitSeconds(key);
  if (wait > 0) {
    const text = `Too many attempts. Try again in ${wait} s.`;
    return toWait(await show(c, shell, text, 429), wait);
  }
  auth.failures.failed(key);
  const peer = { request: c.req.raw, address: peerOf(c) };
  const { session } = credential;
  const words = { current, next };
  const asking = { author, session };
  const cookies = await authentication.identity.changePassword(peer, words, asking);
  if (cookies === null) {
    return show(c, shell, "That is not your present password.", 422);
  }
  auth.failures.succeeded(key);
  authentication.browsers.passwordChanged(person, session);
  return go(`${HOME}?changed=password`, secured(cookies, c.req.raw));
}

async function revoke(c: BoardContext, shell: Shell): Promise<Response> {
  const { authentication } = shell.deps;
  const id = c.req.param("id") ?? "";
  const done = await authentication.browsers.revoke(personOf(c), id, c.get("caller").author);
  if (!done) throw new PageError(404, "No such session", "It has ended, or is not yours.");
  return go(HOME);
}

/** The admin token has no account, and a token of the API may not change one. */
function personOf(c: BoardContext): string {
  const { credential, via } = c.get("caller");
  if (credential.person !== null && via === "cookie") return credential.person;
  throw new PageError(403, "No account", "Sign in with an account of your own to change it.");
}
