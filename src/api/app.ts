/**
 * The JSON API as one fetch handler: `/api/v1/**`, `/openapi.json`, `/docs`, `/healthz`, `/readyz`.
 * Every other path answers 404; whoever composes the server asks here only for these.
 */
import { type Context, Hono } from "hono";
import { createIdempotency } from "../engine/idempotency.ts";
import { ALL_ROUTES } from "./all_routes.ts";
import type { ApiDeps } from "./deps.ts";
import { docsStyle, renderDocs } from "./docs_page.ts";
import { createReadiness } from "./health.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { API_PREFIX, createOpenApi } from "./openapi.ts";
import { ApiProblem } from "./problem.ts";
import type { Route } from "./route.ts";
import { failure, type Incoming, requireCaller, type Serving, serveRoute } from "./serve_route.ts";

/** Of the API, not of the program: it changes when a client has to. */
export const API_VERSION = "1.0.0";

/** Whether a path belongs to `createApi`. */
export function isApiPath(pathname: string): boolean {
  return (
    pathname === "/api" ||
    pathname.startsWith("/api/") ||
    ["/openapi.json", "/docs", "/docs.css", "/healthz", "/readyz", "/metrics"].includes(pathname)
  );
}

interface ApiEnv {
  Bindings: { remoteAddress?: string | undefined };
}

export function createApi(deps: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const serving: Serving = { deps, idempotency: createIdempotency(deps.database) };
  const { engine, database, traffic } = deps;
  const metrics = createMetrics({
    reads: database.reads,
    replicaId: engine.replicaId,
    now: () => engine.now(),
    runs: engine.background.runs,
    rollupIntervalSeconds: engine.background.rollupIntervalSeconds,
    version: API_VERSION,
    traffic,
  });
  mountHealth(app, deps);
  mountMetrics(app, deps, metrics);
  mountDocs(app);
  mountRoutes(app, ALL_ROUTES, serving);
  app.notFound((c) => answerNotFound(deps, incoming(c)));
  app.onError((error, c) => failure(deps, c.req.raw, error));
  return app;
}

function mountRoutes(app: Hono<ApiEnv>, routes: readonly Route[], serving: Serving): void {
  const { traffic } = serving.deps;
  const methods = new Map<string, string[]>();
  for (const route of routes) {
    const path = honoPath(route.path);
    const method = route.method.toUpperCase();
    methods.set(path, [...(methods.get(path) ?? []), method]);
    app.on(method, path, async (c) => {
      const from = performance.now();
      const response = await serveRoute(route, incoming(c), c.req.param(), serving);
      const seconds = (performance.now() - from) / 1000;
      const name = API_PREFIX + route.path;
      traffic.answered({ method, route: name, status: response.status, seconds });
      return response;
    });
  }
  // After all of them: a path that is known answers 405 for what it does not do.
  for (const [path, known] of methods) {
    const allow = [...known, ...(known.includes("GET") ? ["HEAD"] : [])].join(", ");
    app.all(path, (c) => answerWrongMethod(serving.deps, incoming(c), allow));
  }
}

/** `/jobs/{id}` below the prefix, in Hono's words. */
function honoPath(path: string): string {
  return API_PREFIX + path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function incoming(c: Context<ApiEnv>): Incoming {
  return { request: c.req.raw, address: c.env?.remoteAddress };
}

async function answerWrongMethod(deps: ApiDeps, incoming: Incoming, allow: string) {
  const { request } = incoming;
  try {
    await requireCaller(deps, incoming);
    const detail = `${request.method} is not among ${allow}.`;
    throw new ApiProblem("method_not_allowed", detail, { headers: { allow } });
  } catch (error) {
    return failure(deps, request, error);
  }
}

/** Strangers do not learn which paths there are. */
async function answerNotFound(deps: ApiDeps, incoming: Incoming): Promise<Response> {
  try {
    await requireCaller(deps, incoming);
    throw new ApiProblem("not_found", "There is nothing at this path: see /docs.");
  } catch (error) {
    return failure(deps, incoming.request, error);
  }
}

function mountHealth(app: Hono<ApiEnv>, { database, engine, checks }: ApiDeps): void {
  const ready = createReadiness({ database, now: () => engine.now(), more: checks ?? [] });
  const headers = { "cache-control": "no-store" };
  app.get("/healthz", (c) => c.json({ status: "ok" }, 200, headers));
  app.get("/readyz", async (c) => {
    const result = await ready();
    return c.json(result, result.ready ? 200 : 503, headers);
  });
}

function mountMetrics(app: Hono<ApiEnv>, deps: ApiDeps, metrics: Metrics): void {
  app.get("/metrics", async (c) => {
    const { request, address } = incoming(c);
    try {
      if (!(await deps.access.mayReadMetrics(request, address))) throw noMetrics();
      const { text, contentType } = await metrics.scrape();
      return c.body(text, 200, { "content-type": contentType, "cache-control": "no-store" });
    } catch (error) {
      return failure(deps, request, error);
    }
  });
}

function noMetrics(): ApiProblem {
  const detail =
    "This needs a token for metrics: SIGNALBOX_METRICS_TOKEN, or `signalbox token create --metrics`.";
  const headers = { "www-authenticate": 'Bearer realm="signalbox"' };
  return new ApiProblem("unauthorized", detail, { headers });
}

function mountDocs(app: Hono<ApiEnv>): void {
  const document = createOpenApi(ALL_ROUTES, API_VERSION);
  const json = JSON.stringify(document);
  const html = renderDocs(document);
  const security = {
    "content-security-policy":
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
  };
  app.get("/openapi.json", (c) =>
    c.body(json, 200, { "content-type": "application/json", ...security }),
  );
  app.get("/docs", (c) =>
    c.body(html, 200, { "content-type": "text/html; charset=utf-8", ...security }),
  );
  app.get("/docs.css", (c) =>
    c.body(docsStyle, 200, { "content-type": "text/css; charset=utf-8", ...security }),
  );
}
