/**
 * Signing in and out: by address and password, at a provider, with the admin token, or by the one-time
 * link that a start prints. On a server without accounts the link leads to making the first one.
 */
import type { Hono } from "hono";
import { addressGroup } from "../accounts/address_group.ts";
import { isSameOrigin } from "../accounts/same_origin.ts";
import { isSecure } from "./auth.ts";
import { toWait } from "./errors.ts";
import { readForm } from "./form.ts";
import type { BoardContext, BoardEnv, Shell } from "./shell.ts";

const TOKEN_MAX = 512;
const EMAIL_MAX = 255;
const PASSWORD_MAX = 200;

export function mountSignIn(app: Hono<BoardEnv>, shell: Shell): void {
  app.get("/sign-in", (c) => showForm(c, shell));
  app.post("/sign-in", (c) => signIn(c, shell));
  app.post("/sign-out", (c) => signOut(c, shell));
  if (shell.deps.authentication.identity.oidcName === null) return;
  app.post("/sign-in/oidc", (c) => startOidc(c, shell));
  app.get("/auth/callback/oidc", (c) => finishOidc(c, shell));
}

async function showForm(c: BoardContext, shell: Shell): Promise<Response> {
  const next = safePath(c.req.query("next"));
  const link = c.req.query("link");
  if (link !== undefined) return useLink(c, shell, link, next);
  const caller = await shell.deps.access.authenticate(c.req.raw, peerOf(c));
  if (caller && caller.via !== "nobody") return c.redirect(next, 303);
  return form(c, shell, { next, problem: providerProblem(c.req.query("error")) });
}

/** A browser that only looks ahead must not use the link up. */
async function useLink(c: BoardContext, shell: Shell, link: string, next: string) {
  const { auth, authentication } = shell.deps;
  const looksAhead = (c.req.header("sec-purpose") ?? c.req.header("purpose") ?? "") !== "";
  if (looksAhead || c.req.method !== "GET") return new Response(null, { status: 204 });
  // Not counted: 192 bits are beyond guessing, and an image on another site could ask in somebody's name.
  if (!auth.useSignInLink(link)) {
    const problem = "This link was used before or is too old. Sign in here instead.";
    return form(c, shell, { next, problem }, 401);
  }
  const isFirst = !(await authentication.people.exist());
  return enterAsAdmin(c, shell, isFirst ? `/set-up?next=${encodeURIComponent(next)}` : next);
}

async function signIn(c: BoardContext, shell: Shell): Promise<Response> {
  const fields = await readForm(c.req.raw);
  const next = safePath(fields.get("next") ?? undefined);
  if (!isSameOrigin(c.req.raw)) {
    const problem = "That form came from another site. Sign in here.";
    return form(c, shell, { next, problem }, 403);
  }
  return fields.has("token")
    ? signInAsAdmin(c, shell, (fields.get("token") ?? "").trim(), next)
    : signInAsPerson(c, shell, fields, next);
}

async function signInAsAdmin(c: BoardContext, shell: Shell, token: string, next: string) {
  const { auth } = shell.deps;
  const peer = addressGroup(peerOf(c));
  const wait = auth.failures.waitSeconds(peer);
  if (wait > 0) return tooMany(c, shell, next, wait);
  // Counted first: asked at once, a thousand guesses would all be the first.
  auth.failures.failed(peer);
  if (token.length > TOKEN_MAX || !auth.isAdminToken(token)) {
    const problem = token === "" ? "Enter the admin token." : "That is not the admin token.";
    return form(c, shell, { next, problem, asAdmin: true }, 401);
  }
  auth.failures.succeeded(peer);
  return enterAsAdmin(c, shell, next);
}

async function signInAsPerson(
  c: BoardContext,
  shell: Shell,
  fields: URLSearchParams,
  next: string,
) {
  const { auth, authentication } = shell.deps;
  const email = (fields.get("email") ?? "").trim().toLowerCase();
  const password = fields.get("password") ?? "";
  if (email === "" || password === "") {
    const problem = "Enter your address and your password.";
    return form(c, shell, { next, problem, email }, 401);
  }
  // By address too: one password must not be tried from a thousand machines.
  const keys = [addressGroup(peerOf(c)), `person ${email.slice(0, EMAIL_MAX)}`];
  const wait = Math.max(...keys.map((key) => auth.failures.waitSeconds(key)));
  if (wait > 0) return tooMany(c, shell, next, wait);
  auth.failures.failed(...keys);
  const isSound = email.length <= EMAIL_MAX && password.length <= PASSWORD_MAX;
  const peer = { request: c.req.raw, address: peerOf(c) };
  const cookies = isSound ? await authentication.identity.signIn(peer, email, password) : null;
  if (cookies === null) {
    const problem = "Address or password is wrong.";
    return form(c, shell, { next, problem, email }, 401);
  }
  auth.failures.succeeded(...keys);
  return go(next, secured(cookies, c.req.raw));
}

/**
 * The provider's page, in exchange for a form of ours. Not by a redirect: browsers hold those that follow
 * a form to the policy's `form-action`, and where a provider sends people next nobody can list.
 */
async function startOidc(c: BoardContext, shell: Shell): Promise<Response> {
  const next = safePath((await readForm(c.req.raw)).get("next") ?? undefined);
  const started = isSameOrigin(c.req.raw)
    ? await shell.deps.authentication.identity.startOidc(
        { request: c.req.raw, address: peerOf(c) },
        next,
      )
    : null;
  if (started === null) {
    const problem = "The provider cannot be reached now. Try again in a minute.";
    return form(c, shell, { next, problem }, 502);
  }
  const { oidcName } = shell.deps.authentication.identity;
  const model = { provider: oidcName, url: started.url };
  const page = shell.page(c, "_layout/onward", model, { title: "Sign in" });
  page.headers.set("refresh", `0; url=${new URL(started.url).href}`);
  for (const cookie of secured(started.cookies, c.req.raw))
    page.headers.append("set-cookie", cookie);
  return page;
}

async function finishOidc(c: BoardContext, shell: Shell): Promise<Response> {
  const { identity } = shell.deps.authentication;
  const answer = await identity.finishOidc({ request: c.req.raw, address: peerOf(c) });
  const location = answer.headers.get("location");
  const to = location === null ? "/sign-in?error=oidc" : localPath(location);
  return go(to, secured(answer.headers.getSetCookie(), c.req.raw));
}

async function signOut(c: BoardContext, shell: Shell): Promise<Response> {
  if (!isSameOrigin(c.req.raw)) return c.redirect("/board", 303);
  const { authentication } = shell.deps;
  const request = c.req.raw;
  const facts = await authentication.sessions.of(request);
  const cookies = await authentication.identity.signOut({ request, address: peerOf(c) });
  const admin = await authentication.admin.close(request, isSecure(request));
  if (facts) await authentication.browsers.ended({ session: facts.session });
  const gone = secured(admin ? [...cookies, admin] : cookies, request);
  const response = go("/sign-in", gone);
  response.headers.set("clear-site-data", '"cache"');
  return response;
}

async function enterAsAdmin(c: BoardContext, shell: Shell, next: string): Promise<Response> {
  return go(next, [await shell.deps.authentication.admin.open(isSecure(c.req.raw))]);
}

// Answers

export function go(location: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ location, "cache-control": "no-store" });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 303, headers });
}

/** Behind a proxy that ends HTTPS the server itself does not see that its cookies can be secure. */
export function secured(cookies: readonly string[], request: Request): string[] {
  if (!isSecure(request)) return [...cookies];
  return cookies.map((cookie) => (/;\s*secure/i.test(cookie) ? cookie : `${cookie}; Secure`));
}

interface FormModel {
  next: string;
  problem: string | null;
  /** As it was typed. */
  email?: string;
  /** The admin token was tried. */
  asAdmin?: boolean;
}

async function form(c: BoardContext, shell: Shell, model: FormModel, status = 200) {
  const { identity, people } = shell.deps.authentication;
  const full = {
    email: "",
    asAdmin: false,
    ...model,
    provider: identity.oidcName,
    hasPeople: await people.exist(),
  };
  return shell.page(c, "_layout/sign_in", full, { title: "Sign in", status });
}

async function tooMany(c: BoardContext, shell: Shell, next: string, seconds: number) {
  const problem = `Too many attempts. Try again in ${seconds} s.`;
  return toWait(await form(c, shell, { next, problem }, 429), seconds);
}

/** What better-auth reports of a sign-in at the provider that went wrong: a word of its own. */
function providerProblem(error: string | undefined): string | null {
  if (error === undefined) return null;
  const word = /^[a-z_]{1,60}$/.test(error) ? error.replaceAll("_", " ") : "unknown reason";
  return `Signing in at the provider did not work: ${word}.`;
}

/** Only a path on this server: a link must not be able to send a signed-in reader elsewhere. */
export function safePath(path: string | undefined): string {
  const home = "/board";
  if (!path?.startsWith("/") || path.length > 2_000) return home;
  try {
    const url = new URL(path, "http://board.invalid");
    const local = /^\/(?:board(?:[/?]|$)|invitations\/)/.test(url.pathname);
    return url.origin === "http://board.invalid" && local ? url.pathname + url.search : home;
  } catch {
    return home;
  }
}

/** Of an address that better-auth made of our own. */
function localPath(location: string): string {
  const { pathname, search } = new URL(location, "http://board.invalid");
  return pathname === "/sign-in" ? pathname + search : safePath(pathname + search);
}

export function peerOf(c: BoardContext): string {
  return c.env?.remoteAddress ?? "unknown";
}
