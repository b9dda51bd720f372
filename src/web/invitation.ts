/** `/invitations/{secret}`: what a link of an invitation opens, for who has an account and who has none. */
import type { Hono } from "hono";
import type { Caller } from "../accounts/caller.ts";
import { PASSWORD_MIN } from "../accounts/identity.ts";
import type { Invitation } from "../accounts/invitations.ts";
import { Refused } from "../accounts/refused.ts";
import { isSameOrigin } from "../accounts/same_origin.ts";
import { PageError } from "./errors.ts";
import { readForm } from "./form.ts";
import type { BoardContext, BoardEnv, Shell } from "./shell.ts";
import { go, peerOf, secured } from "./sign_in.ts";

const PATH = "/invitations/:secret";
const SECRET_MAX = 100;

export function mountInvitation(app: Hono<BoardEnv>, shell: Shell): void {
  app.get(PATH, (c) => show(c, shell, { problem: null, field: null, name: "", email: "" }));
  app.post(PATH, (c) => accept(c, shell));
}

interface Shown {
  problem: string | null;
  field: string | null;
  name: string;
  email: string;
}

async function show(c: BoardContext, shell: Shell, shown: Shown, status = 200): Promise<Response> {
  const invitation = await find(c, shell);
  const caller = await shell.deps.access.authenticate(c.req.raw, peerOf(c));
  const org = shell.deps.directory.byId(invitation.org);
  const model = {
    ...shown,
    org: org?.title ?? org?.name ?? "an organization",
    role: invitation.role,
    only: invitation.email,
    person: personIn(caller) ? caller!.author.name : null,
    path: new URL(c.req.url).pathname,
    passwordMin: PASSWORD_MIN,
  };
  const page = shell.page(c, "_layout/invitation", model, { title: "Invitation", status });
  // The address is a secret: no page that is opened from here may learn it.
  page.headers.set("referrer-policy", "strict-origin");
  return page;
}

async function accept(c: BoardContext, shell: Shell): Promise<Response> {
  const request = c.req.raw;
  if (!isSameOrigin(request)) {
    throw new PageError(
      403,
      "Not from here",
      "That form came from another site. Open the link itself.",
    );
  }
  // Before anything is hashed or written for it.
  await find(c, shell);
  const secret = secretOf(c);
  const caller = await shell.deps.access.authenticate(request, peerOf(c));
  const fields = await readForm(request);
  const name = fields.get("name") ?? "";
  const email = fields.get("email") ?? "";
  try {
    const person = personIn(caller);
    if (caller && person) return go(await joinAs(shell, secret, person, caller.author));
    const author = { name: "invitation", user: null, token: null, address: peerOf(c) };
    const password = fields.get("password") ?? "";
    const { invitations } = shell.deps.accounts;
    await invitations.acceptAsNew(secret, { name, email, password }, author);
    const peer = { request, address: peerOf(c) };
    const { identity } = shell.deps.authentication;
    const cookies = (await identity.signIn(peer, email.trim(), password)) ?? [];
    return go("/board", secured(cookies, request));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const shown = { problem: error.message, field: error.field, name, email };
    return show(c, shell, shown, error.kind === "forbidden" ? 403 : 422);
  }
}

async function joinAs(
  shell: Shell,
  secret: string,
  person: string,
  author: Parameters<Shell["deps"]["accounts"]["invitations"]["accept"]>[2],
): Promise<string> {
  const { accounts, authentication, directory } = shell.deps;
  const found = await authentication.people.find(person);
  if (found === null) throw new Refused("forbidden", "This account is gone. Sign in again.");
  const org = await accounts.invitations.accept(secret, found, author);
  return `/board/orgs/${directory.byId(org)?.name ?? ""}`;
}

/** Who has signed in here: a token joins nobody to anything. */
function personIn(caller: Caller | null): string | null {
  return caller?.via === "cookie" ? caller.credential.person : null;
}

async function find(c: BoardContext, shell: Shell): Promise<Invitation> {
  const invitation = await shell.deps.accounts.invitations.find(secretOf(c));
  if (invitation) return invitation;
  const detail = "It was used or taken back, or is too old. Ask for a new one.";
  throw new PageError(404, "No such invitation", detail);
}

function secretOf(c: BoardContext): string {
  return (c.req.param("secret") ?? "").slice(0, SECRET_MAX);
}
