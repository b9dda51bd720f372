import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALL_ROUTES } from "../../src/api/all_routes.ts";
import { type ApiBox, apiBox, hello, JOBS, TOKEN, V1 } from "../support/api_box.ts";

let box: ApiBox;
before(async () => {
  box = await apiBox();
});
after(async () => {
  await box.close();
});

const ID = "0198c0de-8f00-7abc-8def-0123456789ab";

test("no route answers a stranger but those that are for them, nor says whether a path is one", async () => {
  const shut = ALL_ROUTES.filter(({ forStrangers }) => forStrangers !== true);
  const paths = shut.map(({ method, path }) => [method, V1 + path.replaceAll(/\{\w+\}/g, ID)]);
  const others = [
    ["get", `${V1}/nothing`],
    ["delete", JOBS],
    ["get", "/api"],
    ["put", "/api/v2/x"],
  ];
  for (const [method, path] of [...paths, ...others]) {
    const request = new Request(`http://box${path}`, { method: method!.toUpperCase() });
    const response = await box.fetch(request);
    assert.equal(response.status, 401, `${method} ${path}`);
    assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal((await response.json()).status, 401);
  }
});

test("a wrong credential is no credential", async () => {
  const wrong = [
    "",
    "Bearer",
    "Bearer ",
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    TOKEN,
  ];
  for (const authorization of wrong) {
    const { status } = await box.call("GET", `${V1}/orgs`, undefined, { authorization });
    assert.equal(status, 401, authorization);
  }
  assert.equal(
    (await box.call("GET", `${V1}/orgs?token=${TOKEN}`, undefined, { authorization: "x" })).status,
    401,
  );
});

test("a session's cookie reads, and changes only from our own pages", async () => {
  const cookie = (await box.authentication.admin.open(false)).split(";")[0]!;
  const send = async (method: string, path: string, headers: Record<string, string>) => {
    const body = method === "POST" ? JSON.stringify(hello) : undefined;
    const all = { cookie, host: "box", "content-type": "application/json", ...headers };
    return (await box.fetch(new Request(`http://box${path}`, { method, headers: all, body })))
      .status;
  };
  assert.equal(await send("GET", `${V1}/orgs`, {}), 200);
  assert.equal(await send("POST", JOBS, { "sec-fetch-site": "same-origin" }), 201);
  assert.equal(await send("POST", JOBS, { origin: "http://box" }), 201);
  assert.equal(await send("POST", JOBS, {}), 401);
  assert.equal(await send("POST", JOBS, { origin: "https://evil.example" }), 401);
  assert.equal(await send("POST", JOBS, { "sec-fetch-site": "cross-site" }), 401);
});

test("a known path with a method it has not says which ones it has", async () => {
  const cases = [
    ["DELETE", JOBS, "POST, GET, HEAD"],
    ["POST", `${V1}/jobs/${ID}`, "GET, HEAD"],
    ["GET", `${V1}/jobs/${ID}/cancel`, "POST"],
    ["PATCH", `${V1}/orgs`, "GET, POST, HEAD"],
  ];
  for (const [method, path, allow] of cases) {
    const response = await box.fetch(
      new Request(`http://box${path}`, { method, headers: { authorization: `Bearer ${TOKEN}` } }),
    );
    assert.equal(response.status, 405, `${method} ${path}`);
    assert.equal(response.headers.get("allow"), allow);
    assert.equal((await response.json()).title, "Wrong method");
  }
});

test("an unknown path is a problem document", async () => {
  for (const path of [`${V1}/nothing`, `${V1}/jobs`, "/api/v2/orgs", `${V1}/jobs/${ID}/`]) {
    const { status, json } = await box.call("GET", path);
    assert.equal(status, 404, path);
    assert.equal(json.status, 404);
  }
});

test("HEAD is GET without a body", async () => {
  const { status, text } = await box.call("HEAD", `${V1}/orgs`);
  assert.deepEqual([status, text], [200, ""]);
});
