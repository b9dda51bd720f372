import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALL_ROUTES } from "../../src/api/all_routes.ts";
import { createApi, isApiPath } from "../../src/api/app.ts";
import { API_PREFIX, createOpenApi } from "../../src/api/openapi.ts";
import { type ApiBox, apiBox, V1 } from "../support/api_box.ts";
import { createConformance } from "../support/conformance.ts";

let box: ApiBox;
before(async () => {
  box = await apiBox();
});
after(async () => {
  await box.close();
});

const document = createOpenApi(ALL_ROUTES, "test");
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
);

test("every registered route is in the document, and the other way round", () => {
  const app = createApi({
    ...box.accounts,
    engine: box.engine,
    database: box.database,
    logs: box.logs,
    log: { warn() {}, error() {} },
    hub: undefined as never,
    traffic: box.traffic,
  });
  const own = ["/openapi.json", "/docs", "/docs.css"];
  const registered = app.routes
    .filter(({ method, path }) => method !== "ALL" && !own.includes(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  assert.deepEqual([...registered].sort(), [...operations].sort());
  assert.equal(new Set(registered).size, registered.length);
});

test("the document is served without a token, is OpenAPI 3.1, and names each operation once", async () => {
  const response = await box.fetch(new Request("http://box/openapi.json"));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  const served = await response.json();
  assert.equal(served.openapi, "3.1.0");
  const ids = Object.values(served.paths).flatMap((item) =>
    Object.values(item as Record<string, { operationId: string }>).map((o) => o.operationId),
  );
  assert.equal(new Set(ids).size, ids.length);
  for (const [, name] of JSON.stringify(served).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(served.components.schemas[name!], `${name}`);
  }
});

test("every parameter of a path is described", () => {
  for (const route of ALL_ROUTES) {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const item = (document.paths as never)[API_PREFIX + route.path] as Record<
      string,
      { parameters?: { in: string; name: string }[] }
    >;
    const described = (item[route.method]!.parameters ?? [])
      .filter((parameter) => parameter.in === "path")
      .map(({ name }) => name);
    assert.deepEqual(described, named, route.path);
  }
});

test("what the tests hold answers against does refuse a wrong one", () => {
  const conform = createConformance(document);
  const heard = {
    method: "GET",
    path: `${V1}/orgs`,
    status: 200,
    contentType: "application/json",
    json: { items: [], next_cursor: null },
  };
  conform(heard);
  assert.throws(() => conform({ ...heard, json: { items: [] } }), /next_cursor/);
  assert.throws(() => conform({ ...heard, json: { ...heard.json, extra: 1 } }), /extra/);
  assert.throws(() => conform({ ...heard, json: { items: [{}], next_cursor: null } }), /name/);
  assert.throws(() => conform({ ...heard, status: 299 }), /not documented/);
  assert.throws(() => conform({ ...heard, contentType: "text/html" }), /not documented/);
});

test("the documentation page needs no script and no inline style", async () => {
  const response = await box.fetch(new Request("http://box/docs"));
  const html = await response.text();
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.doesNotMatch(html, /<script|<style|style=|onclick|javascript:/i);
  assert.doesNotMatch(html, /undefined|NaN|\[object|\u0001/);
  for (const [, style] of html.matchAll(/<link rel="stylesheet" href="([^"]+)"/g)) {
    assert.equal((await box.fetch(new Request(`http://box${style}`))).status, 200);
  }
  for (const operation of operations) {
    const [method, path] = operation.split(" ");
    assert.ok(html.includes(`${method}</b> <code>${path}</code>`), operation);
  }
  const ids = new Set([...html.matchAll(/id="([^"]+)"/g)].map(([, id]) => id));
  for (const [, to] of html.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.has(to!), `${to}`);
});

test("every kind of problem names a place on the documentation page", async () => {
  const html = await (await box.fetch(new Request("http://box/docs"))).text();
  const { json } = await box.call("GET", `${V1}/jobs/0198c0de-8f00-7abc-8def-0123456789ab`);
  assert.match(json.type, /^\/docs#problem-/);
  assert.ok(html.includes(`id="${json.type.split("#")[1]}"`));
});

test("the API says which paths are its own", () => {
  for (const path of ["/api/v1/orgs", "/openapi.json", "/docs", "/healthz", "/readyz"]) {
    assert.ok(isApiPath(path), path);
  }
  for (const path of ["/", "/board", "/board/live", "/apis", "/worker/v1"]) {
    assert.ok(!isApiPath(path), path);
  }
});

test("health needs no token; ready means database, migrations and partitions", async () => {
  const healthy = await box.fetch(new Request("http://box/healthz"));
  assert.deepEqual([healthy.status, await healthy.json()], [200, { status: "ok" }]);
  const ready = await box.fetch(new Request("http://box/readyz"));
  const { ready: isReady, checks } = await ready.json();
  assert.deepEqual([ready.status, isReady], [200, true]);
  const names = checks.map((check: { name: string }) => check.name);
  assert.deepEqual(names, ["database", "migrations", "partitions"]);
});
