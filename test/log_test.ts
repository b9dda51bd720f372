import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, type LogOptions } from "../src/log.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

function recorded(options: LogOptions = {}) {
  const lines: string[] = [];
  const log = createLogger({ format: "json", ...options, write: (line) => lines.push(line) });
  return { log, lines };
}

test("a line is JSON with time, level, message and fields", () => {
  const { log, lines } = recorded();
  log.child({ part: "dispatcher" }).info({ jobs: 3 }, "leased");
  const { time, ...rest } = JSON.parse(lines[0]!);
  assert.deepEqual(rest, { level: "info", part: "dispatcher", jobs: 3, msg: "leased" });
  assert.ok(Date.parse(time) > 0);
});

test("what is below the level is not written", () => {
  const { log, lines } = recorded({ level: "warn" });
  log.info("quiet");
  log.warn("loud");
  assert.equal(lines.length, 1);
});

test("fields that carry secrets are hidden, also inside others", () => {
  const { log, lines } = recorded();
  log.info({ token: "t1", hello: { token: "t2" }, request: { headers: { cookie: "t3" } } }, "x");
  assert.doesNotMatch(lines[0]!, /"t\d"/);
});

test("the server's own secrets are hidden wherever they stand", () => {
  for (const format of ["json", "pretty"] as const) {
    const { log, lines } = recorded({ secrets: [SECRET, undefined, ""], format });
    log.error({ err: new Error(`bad token ${SECRET}`), [`k${SECRET}`]: [SECRET] }, `m ${SECRET}`);
    assert.ok(!lines[0]!.includes(SECRET));
    assert.match(lines[0]!, /bad token \[hidden\]/);
  }
});

test("bearer tokens and passwords in addresses are hidden", () => {
  const { log, lines } = recorded();
  log.info(`got "Bearer abc.def-ghi" for postgres://me:pa55@db:5432/x`);
  const { msg } = JSON.parse(lines[0]!);
  assert.equal(msg, `got "Bearer [hidden]" for postgres://me:[hidden]@db:5432/x`);
});

test("tokens of the database are hidden wherever they stand", () => {
  const { log, lines } = recorded();
  const secret = `sbx_${"aZ09_-x".repeat(6)}q`;
  log.warn({ frame: { hello: [secret] } }, `refused ${secret}, with Bearer ${secret}`);
  assert.ok(!lines[0]!.includes(secret.slice(4)));
  assert.match(lines[0]!, /refused sbx_\[hidden\], with Bearer \[hidden\]/);
});

test("people get a line with time, level, message and facts", () => {
  const { log, lines } = recorded({ format: "pretty" });
  log.warn({ worker: "w1", reason: "no heartbeat" }, "worker lost");
  const plain = lines[0]!.replaceAll(/\x1b\[\d+m/g, "");
  assert.match(plain, /^\d\d:\d\d:\d\d warn {2}worker lost {2}worker=w1 reason="no heartbeat"\n$/);
});
