/** The sign-in form, the one-time link that `npm start` prints, and signing out. */
import type { Hono } from "hono";
import { isSameOrigin, isSecure } from "./auth.ts";
import type { BoardContext, BoardEnv, Shell } from "./shell.ts";

const TOKEN_MAX = 512;
const FORM_MAX_BYTES = 8_192;

export function mountSignIn(app: Hono<BoardEnv>, shell: Shell): void {
  app.get("/sign-in", (c) => showForm(c, shell));
  app.post("/sign-in", (c) => signIn(c, shell));
  app.post("/sign-out", (c) => signOut(c, shell));
}

async function showForm(c: BoardContext, shell: Shell): Promise<Response> {
  const next = safePath(c.req.query("next"));
  const link = c.req.query("link");
  if (link !== undefined) return useLink(c, shell, link, next);
  const caller = await shell.deps.access.authenticate(c.req.raw, c.env?.remoteAddress);
  if (caller && caller.via !== "nobody") return c.redirect(next, 303);
  return form(c, shell, { next, problem: null });
}

/** A browser that only looks ahead must not use the link up. */
function useLink(c: BoardContext, shell: Shell, link: string, next: string): Response {
  const { auth } = shell.deps;
  const looksAhead = (c.req.header("sec-purpose") ?? c.req.header("purpose") ?? "") !== "";
  if (looksAhead || c.req.method !== "GET") return new Response(null, { status: 204 });
  const wait = auth.failures.waitSeconds(peerOf(c));
  if (wait > 0) return tooMany(c, shell, next, wait);
  if (auth.useSignInLink(link)) return enter(c, shell, next);
  auth.failures.failed(peerOf(c));
  const problem = "This link was used before or is too old. Enter the admin token instead.";
  return form(c, shell, { next, problem }, 401);
}

async function signIn(c: BoardContext, shell: Shell): Promise<Response> {
  const { auth } = shell.deps;
  const peer = peerOf(c);
  const length = Number(c.req.header("content-length") ?? 0);
  const fields =
    length <= FORM_MAX_BYTES ? new URLSearchParams(await c.req.text()) : new URLSearchParams();
  const next = safePath(fields.get("next") ?? undefined);
  if (!isSameOrigin(c.req.raw)) {
    const problem = "That form came from another site. Sign in here.";
    return form(c, shell, { next, problem }, 403);
  }
  const wait = auth.failures.waitSeconds(peer);
  if (wait > 0) return tooMany(c, shell, next, wait);
  const token = (fields.get("token") ?? "").trim();
  if (token.length > TOKEN_MAX || !auth.isAdminToken(token)) {
    auth.failures.failed(peer);
    const problem = token === "" ? "Enter the admin token." : "That is not the admin token.";
    return form(c, shell, { next, problem }, 401);
  }
  auth.failures.succeeded(peer);
  return enter(c, shell, next);
}

function enter(c: BoardContext, shell: Shell, next: string): Response {
  const session = shell.deps.auth.openSession(isSecure(c.req.raw));
  const headers = { location: next, "set-cookie": session, "cache-control": "no-store" };
  return new Response(null, { status: 303, headers });
}

function signOut(c: BoardContext, shell: Shell): Response {
  if (!isSameOrigin(c.req.raw)) return c.redirect("/board", 303);
  const gone = shell.deps.auth.closeSession(isSecure(c.req.raw));
  return new Response(null, {
    status: 303,
    headers: { location: "/sign-in", "set-cookie": gone, "clear-site-data": '"cache"' },
  });
}

// Answers

interface FormModel {
  next: string;
  problem: string | null;
}

function form(c: BoardContext, shell: Shell, model: FormModel, status = 200): Response {
  return shell.page(c, "_layout/sign_in", model, { title: "Sign in", status });
}

function tooMany(c: BoardContext, shell: Shell, next: string, seconds: number): Response {
  const problem = `Too many attempts. Try again in ${seconds} s.`;
  const response = form(c, shell, { next, problem }, 429);
  response.headers.set("retry-after", String(seconds));
  return response;
}

/** Only a path on this server: a link must not be able to send a signed-in reader elsewhere. */
export function safePath(path: string | undefined): string {
  const home = "/board";
  if (!path?.startsWith("/") || path.length > 2_000) return home;
  try {
    const url = new URL(path, "http://board.invalid");
    const local = url.origin === "http://board.invalid" && /^\/board(?:[/?]|$)/.test(url.pathname);
    return local ? url.pathname + url.search : home;
  } catch {
    return home;
  }
}

function peerOf(c: BoardContext): string {
  return c.env?.remoteAddress ?? "unknown";
}
