/**
 * Addresses, headers and fields that try to be more than they are: at every route that is registered, and on the
 * wire, where no client tidies them up. Nothing is an error of ours, no answer has a header that somebody else
 * wrote, no redirect leaves the server, and no file is served but ours.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { ADMIN, OWN, PASSWORD, somebody } from "../support/accounts/people.ts";
import { JOBS, TOKEN } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";

const TRICKS = [
  "a\0b",
  "a\r\nset-cookie: a=b\r\n\r\n<b>",
  "//evil.example/board",
  "/\\evil.example",
  "..%2f..%2fetc%2fpasswd",
  "../../etc/passwd",
  "%00",
  "\u2028\u202e\ufeff",
  "__proto__",
  "x".repeat(700),
  "';--",
];
/** Where there is one request for each name: passwords take their time, and so does a live page. */
const FEW = TRICKS.slice(0, 2);
const EVIL = "evil.example";
const QUERY =
  "q queue org name worker state attempt panels job since from to actor action object_kind object_id before " +
  "after next link error changed format";
const FIELDS =
  "name email password title role days pool reason current next to token public superuser";

let box: BoardBox;
let cookie: string;
let job: string;
const org = { id: 1, name: "default" };
let count = 0;
before(async () => {
  box = await boardBox();
  job = (await box.call("POST", JOBS, { name: "x", kind: "handler" })).json.id;
  ({ cookie } = await somebody(box, { isSuperuser: true, roles: { 1: "owner" } }));
});
after(() => box.close());

async function invitation(): Promise<string> {
  const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
  const wanted = { role: "viewer" as const, email: null };
  return (await box.accounts.invitations.create(org, wanted, by)).secret;
}

/** The path with what its parameters may be, but for `own`. */
async function filled(path: string, own: Record<string, string> = {}): Promise<string> {
  const values: Record<string, string> = { id: job, org: "default", ...own };
  if (path.includes(":secret")) values.secret ??= await invitation();
  return path
    .replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name] ?? "default"))
    .replace("*", encodeURIComponent(own["*"] ?? "app.css"));
}

/** Each from another address, so that no limit stands before what is asked. */
async function ask(method: string, path: string, form?: Record<string, string>): Promise<void> {
  count += 1;
  const isOut = /^\/(sign-in|invitations|auth)/.test(path);
  const who: Record<string, string> = path.startsWith("/api/")
    ? { authorization: `Bearer ${TOKEN}` }
    : { ...OWN, ...(isOut ? {} : { cookie }) };
  const init = {
    ...{ method, redirect: "manual" as const },
    headers: { accept: "text/html", ...who },
    ...(form ? { body: new URLSearchParams(form) } : {}),
  };
  const address = `192.0.2.${count % 250}.${count}`;
  const answer = await box.fetch(new Request(`http://board${path}`, init), address);
  await answer.body?.cancel();
  const what = `${method} ${path.slice(0, 200)} ${JSON.stringify(form ?? {}).slice(0, 300)}`;
  assert.ok(answer.status < 500, `${answer.status}: ${what}`);
  staysHere(answer.headers, "http://board", what);
}

function staysHere(headers: Headers, base: string, what: string): void {
  assert.ok(!headers.getSetCookie().some((one) => /^a=/.test(one)), `a cookie of theirs: ${what}`);
  for (const name of ["location", "hx-redirect", "hx-replace-url"]) {
    const to = headers.get(name);
    if (to === null) continue;
    assert.equal(new URL(to, base).origin, base, `${name}: ${to} of ${what}`);
    assert.doesNotMatch(to, /[\r\n\\]|^\/\//, what);
  }
}

describe("at every route that is registered", () => {
  const split = () =>
    box.routes
      .map((route) => route.split(" ") as [string, string])
      .filter(([, path]) => path !== "/sign-out");

  test("a parameter of the path is what it is", async () => {
    for (const [method, path] of split()) {
      const names = [...path.matchAll(/:(\w+)|\*/g)].map((found) => found[1] ?? "*");
      for (const name of names) {
        for (const trick of TRICKS) await ask(method, await filled(path, { [name]: trick }));
      }
    }
    assert.deepEqual([box.troubles, box.faults], [[], []]);
  });

  test("a parameter of the query is text", async () => {
    for (const [method, path] of split()) {
      if (method !== "GET" || path.startsWith("/api/")) continue;
      const named = path === "/board/stream" ? { panels: "live,counts,job" } : {};
      const names = QUERY.split(" ");
      const queries = [
        ...TRICKS.map((trick) => names.map((name) => [name, trick])),
        ...FEW.flatMap((trick) => names.map((name) => [[name, trick]])),
      ];
      for (const query of queries) {
        const all = new URLSearchParams({ ...named, ...Object.fromEntries(query) });
        await ask(method, `${await filled(path)}?${all}`);
      }
    }
    assert.deepEqual([box.troubles, box.faults], [[], []]);
  });

  test("a field of a form is text", async () => {
    for (const [method, path] of split()) {
      if (method !== "POST" || path.startsWith("/api/")) continue;
      for (const name of FIELDS.split(" ")) {
        for (const trick of FEW) {
          const email = `tricky${count}@example.org`;
          const plain = { name: `x${count}`, email, password: PASSWORD, role: "viewer" };
          await ask(method, await filled(path), { ...plain, [name]: trick });
        }
      }
    }
    assert.deepEqual([box.troubles, box.faults], [[], []]);
  });
});

/** Written as it is, byte for byte, on a connection of its own. */
function raw(
  base: string,
  text: string,
): Promise<{ status: number; headers: Headers; body: string }> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text, "latin1"));
    let heard = "";
    socket.setEncoding("latin1").on("data", (data) => {
      heard += data;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const end = heard.indexOf("\r\n\r\n");
      const [first = "", ...lines] = heard.slice(0, end).split("\r\n");
      const headers = new Headers();
      for (const line of lines)
        headers.append(line.split(":")[0]!, line.slice(line.indexOf(":") + 1).trim());
      resolve({ status: Number(first.split(" ")[1]), headers, body: heard.slice(end + 4) });
    });
  });
}

describe("on the wire", () => {
  let base: string;
  before(async () => {
    base = await box.serve();
  });

  const get = (target: string, headers: Record<string, string> = {}) => {
    const all = { host: new URL(base).host, accept: "text/html", connection: "close", ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return raw(base, `GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  };

  /** Of an address that somebody signed in is led to; all end on the board or at an invitation. */
  const NEXT = [
    "//evil.example/board",
    "///evil.example/board",
    "/\\evil.example/board",
    "\\\\evil.example/board",
    "/%5cevil.example",
    "/%09/evil.example",
    "/\t/evil.example/board",
    "/board/..//evil.example",
    "/board/%2e%2e//evil.example",
    "/board/.%2e/%2fevil.example",
    "/invitations/..//evil.example",
    "/invitations/..%2f..%2f/evil.example",
    "/board@evil.example",
    "/board.evil.example",
    "@evil.example",
    "https:evil.example",
    "https://evil.example/board",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/board\r\nset-cookie: a=b",
    "/board?x=\r\n\r\n<script>",
    "/board\u0000//evil.example",
    "/board#//evil.example",
    "/board/\u2028//evil.example",
    "/board/é",
  ];

  test("after signing in nobody lands anywhere else, by whichever door", async () => {
    for (const next of NEXT) {
      const query = encodeURIComponent(next);
      const link = box.auth.createSignInLink();
      for (const answer of [
        await get(`/sign-in?next=${query}`, { cookie }),
        await get(`${link}&next=${query}`),
        await get(`/set-up?next=${query}`, { cookie }),
      ]) {
        assert.equal(answer.status, 303, next);
        staysHere(answer.headers, base, next);
        assert.match(answer.headers.get("location")!, /^\/(board(?=[/?]|$)|invitations\/)/, next);
      }
      const form = new URLSearchParams({ token: TOKEN, next });
      const init = { method: "POST", headers: OWN, body: form, redirect: "manual" as const };
      const entered = await fetch(`${base}/sign-in`, init);
      assert.equal(entered.status, 303, next);
      staysHere(entered.headers, base, next);
    }
  });

  test("the way to the sign-in form is one of ours, whatever was asked for", async () => {
    for (const target of [
      "/board//evil.example",
      "/board/%0d%0aset-cookie:%20a=b",
      "/board?x=%0d%0aset-cookie:%20a=b",
      "/board/..%2f..%2f//evil.example",
      "http://evil.example/board",
    ]) {
      for (const [name, value] of [
        ["x", "y"],
        ["host", EVIL],
        ["x-forwarded-host", EVIL],
      ] as const) {
        const answer = await get(target, { [name]: value });
        assert.ok(answer.status < 500, target);
        staysHere(answer.headers, base, target);
        assert.doesNotMatch(answer.headers.get("location") ?? "", /^https?:|^\/\//, target);
      }
    }
    for (const from of [
      "http://board//evil.example",
      "//evil.example",
      "http://x/board?%0d%0aa:b",
      "\\\\evil",
    ]) {
      const answer = await get("/board/live", { "hx-request": "true", "hx-current-url": from });
      assert.equal(answer.status, 401);
      staysHere(answer.headers, base, from);
    }
  });

  test("a header that was sent twice over, folded or with NUL writes none of ours", async () => {
    for (const value of ["x\r\n y: z", "x\0y", `${"x".repeat(5_000)}`, "\xff\xfe"]) {
      for (const name of ["cookie", "hx-current-url", "last-event-id", "user-agent", "origin"]) {
        const answer = await get("/sign-in", { [name]: value });
        assert.ok(answer.status < 500, `${name}: ${JSON.stringify(value.slice(0, 20))}`);
        staysHere(answer.headers, base, name);
      }
    }
  });

  test("no file is served but those of ours", async () => {
    for (const path of [
      "/public/../package.json",
      "/public/..%2fpackage.json",
      "/public/..%2f..%2f..%2fetc/passwd",
      "/public/%2e%2e/package.json",
      "/public/%2e%2e%5cpackage.json",
      "/public/..\\package.json",
      "/public//etc/passwd",
      "/public/%2fetc%2fpasswd",
      "/public/css/20_base.css%00.svg",
      "/public/app.css/../../package.json",
      "//public/package.json",
      "/public/fonts/../../README.md",
      "/%2e/public/README.md",
      "/views/_layout/page.eta",
      "/.signalbox/admin-token",
      "/package.json",
    ]) {
      const answer = await get(path, { cookie });
      assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
      assert.doesNotMatch(answer.body, /"dependencies"|root:|@layer|<%/, path);
    }
  });

  test("the name of a file to keep is made of letters", async () => {
    for (const org of [
      'x"; filename="evil.exe',
      "x\r\nset-cookie: a=b",
      "..%2f..%2fevil",
      "default",
    ]) {
      for (const path of [`/api/v1/audit?format=csv&org=`, "/api/v1/audit?format=ndjson&org="]) {
        const authorization = `Bearer ${TOKEN}`;
        const answer = await get(path + encodeURIComponent(org), { authorization, accept: "*/*" });
        assert.ok(answer.status < 500, org);
        staysHere(answer.headers, base, org);
        const name = answer.headers.get("content-disposition") ?? 'attachment; filename="none"';
        assert.match(name, /^attachment; filename="[\w.-]+"$/);
      }
    }
  });

  test("none of it was an error of ours", () => {
    assert.deepEqual([box.troubles, box.faults], [[], []]);
  });
});
