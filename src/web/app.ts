/**
 * The board: static files, sign-in, and the pages it is handed, in this order: security headers on
 * every answer, public files, sign-in, then the gate, then pages. Nothing behind the gate runs
 * without a caller.
 */
import { fileURLToPath } from "node:url";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { matchedRoutes } from "hono/route";
import type { Caller } from "../accounts/caller.ts";
import { SESSION_SECONDS } from "../accounts/identity.ts";
import { bannerOf } from "./alerts/banner.ts";
import { loadAssets } from "./assets.ts";
import { answerError, answerNotFound } from "./errors.ts";
import { guarded } from "./guarded_stream.ts";
import { mountInvitation } from "./invitation.ts";
import { mountStream } from "./live/stream.ts";
import { createRenderer } from "./render.ts";
import { secure } from "./security.ts";
import { mountSetUp } from "./set_up.ts";
import {
  type BoardContext,
  type BoardDeps,
  type BoardEnv,
  type BoardPage,
  isHtmx,
  type PageOptions,
  type Shell,
} from "./shell.ts";
import { mountSignIn, peerOf, secured } from "./sign_in.ts";
import { themeOf } from "./theme.ts";

const PUBLIC = fileURLToPath(new URL("../../public/", import.meta.url));
const PROLONG_BELOW_MS = (SESSION_SECONDS - 24 * 3_600) * 1_000;
const VIEWS = fileURLToPath(new URL("../../views/", import.meta.url));

/**
 * The board as one fetch handler: `board.fetch(request, { remoteAddress })`.
 * It owns `/`, `/board/**`, `/sign-in`, `/sign-out`, `/public/**`, and answers 404 elsewhere.
 */
export function createBoard(deps: BoardDeps, pages: readonly BoardPage[]): Hono<BoardEnv> {
  const shell = createShell(deps, pages);
  const app = new Hono<BoardEnv>();

  app.use("*", observe(deps));
  // Pages only: files of `public/` come compressed, and what a stream or an export sends must not wait for
  // a block to fill. Nothing secret stands in a page twice, so its compressed size tells nobody anything.
  app.use("*", compress({ contentTypeFilter: /^text\/html/ }));
  app.use("*", async (c, next) => {
    // Nothing is called by a name with NUL in it, and PostgreSQL cannot even be asked.
    if (c.req.url.split("?")[0]!.includes("%00")) c.res = answerNotFound(c, shell);
    else await next();
    secure(c.res);
  });
  app.get("/public/*", (c) => shell.assets.answer(c.req.raw) ?? answerNotFound(c, shell));
  app.get("/favicon.ico", (c) => c.redirect(shell.assets.url("icons/signalbox.svg")));
  app.get("/robots.txt", (c) => c.text("User-agent: *\nDisallow: /\n"));
  mountSignIn(app, shell);

  mountInvitation(app, shell);
  app.use("/set-up", gate(shell));
  mountSetUp(app, shell);
  app.use("/", gate(shell));
  app.use("/board", gate(shell));
  app.use("/board/*", gate(shell));
  app.get("/", (c) => c.redirect("/board"));
  mountStream(app, shell, pages);
  for (const page of pages) page.mount(app, shell);

  app.notFound((c) => answerNotFound(c, shell));
  app.onError((error, c) => answerError(c, shell, error));
  return app;
}

/** Tells the traffic of every request that a route of ours answered. */
function observe({ traffic }: BoardDeps) {
  return async (c: BoardContext, next: () => Promise<void>): Promise<void> => {
    const from = performance.now();
    await next();
    const matched = matchedRoutes(c).findLast(({ method }) => method !== "ALL");
    if (matched === undefined) return;
    const route = matched.path.replaceAll(/:(\w+)/g, "{$1}");
    const seconds = (performance.now() - from) / 1_000;
    traffic.answered({ method: matched.method, route, status: c.res.status, seconds });
  };
}

function createShell(deps: BoardDeps, pages: readonly BoardPage[]): Shell {
  const assets = loadAssets(PUBLIC);
  const renderer = createRenderer({
    views: VIEWS,
    assets,
    onMissing: (template, value) =>
      deps.log.error({ template, value }, "a template printed a value that its model lacks"),
  });

  const page = (c: BoardContext, template: string, model: object, options: PageOptions) => {
    const body = renderer.fragment(template, model);
    const html = renderer.layout(body, {
      title: options.title,
      nav: navOf(pages, c.get("caller"), options.nav),
      signedIn: c.get("caller") !== undefined && options.bare !== true,
      who: c.get("caller")?.author.name ?? "",
      theme: themeOf(c.req.raw),
      charts: options.charts === true,
      banner: bannerOf(deps.engine.alerts.standing(), c.get("caller")?.scope),
      now: deps.engine.now(),
    });
    return html200(c, html, options.status);
  };
  return {
    deps,
    assets,
    renderer,
    page,
    fragment: (c, template, model, status) =>
      html200(c, renderer.fragment(template, model), status),
  };
}

/** What this caller can open, by heading. */
function navOf(pages: readonly BoardPage[], caller: Caller | undefined, current?: string) {
  if (caller === undefined) return [];
  const seen = pages.flatMap(({ id, nav }) =>
    nav && (nav.only?.(caller.scope) ?? true) ? [{ id, ...nav }] : [],
  );
  return [...new Set(seen.map(({ group }) => group))].map((label) => ({
    label,
    items: seen
      .filter(({ group }) => group === label)
      .map((item) => ({ ...item, current: item.id === current })),
  }));
}

/** Pages are never cached: the back button must not show what a signed-out reader may not see. */
function html200(c: BoardContext, html: string, status = 200): Response {
  return new Response(c.req.method === "HEAD" ? null : html, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

/** Lets in who has a credential; shows everybody else the way to the sign-in form. */
function gate(shell: Shell) {
  const { access, authentication } = shell.deps;
  return async (c: BoardContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const caller = await access.authenticate(c.req.raw, c.env?.remoteAddress);
    if (!caller || caller.via === "nobody") return refuse(c);
    c.set("caller", caller);
    await next();
    const response = guarded(access, caller, c.req.raw, c.res);
    if (response !== c.res) c.res = response;
    if (isAgeing(caller) && !c.res.headers.has("set-cookie")) {
      const peer = { request: c.req.raw, address: peerOf(c) };
      for (const cookie of secured(await authentication.identity.prolong(peer), c.req.raw)) {
        c.res.headers.append("set-cookie", cookie);
      }
    }
    return undefined;
  };
}

/** A day or more old: it is made as long as a new one. */
function isAgeing({ credential }: Caller): boolean {
  const { person, expiresAt } = credential;
  return person !== null && expiresAt !== null && expiresAt - Date.now() < PROLONG_BELOW_MS;
}

function refuse(c: BoardContext): Response {
  const url = new URL(c.req.url);
  const wantsPage = c.req.method === "GET" && (c.req.header("accept") ?? "").includes("text/html");
  const challenge = { "www-authenticate": 'Bearer realm="signalbox"' };
  if (isHtmx(c)) {
    const from = URL.parse(c.req.header("hx-current-url") ?? "");
    const headers = {
      ...challenge,
      "hx-redirect": signInPath(from ? from.pathname + from.search : "/board"),
    };
    return new Response("Sign in again.\n", { status: 401, headers });
  }
  if (wantsPage) return c.redirect(signInPath(url.pathname + url.search), 303);
  return new Response("Sign in first, or send a token as a bearer.\n", {
    status: 401,
    headers: { ...challenge, "content-type": "text/plain; charset=utf-8" },
  });
}

function signInPath(next: string): string {
  return `/sign-in?next=${encodeURIComponent(next)}`;
}
