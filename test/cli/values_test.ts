import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  collectEnv,
  collectPairs,
  nameFromCommand,
  parseId,
  parseSeconds,
  parseSince,
  parseWhole,
} from "../../src/cli/values.ts";
import { JOB_NAME } from "../../src/messages/names.ts";

describe("values on the command line", () => {
  test("a job is named after its program, whatever that is called", () => {
    assert.equal(nameFromCommand("/usr/bin/env"), "env");
    assert.equal(nameFromCommand("./build me.sh"), "build-me.sh");
    assert.equal(nameFromCommand("C:\\tools\\x.exe"), "x.exe");
    for (const odd of ["", "/", "...", "__", "日本"]) assert.equal(nameFromCommand(odd), "job");
    fc.assert(fc.property(fc.string(), (text) => assert.match(nameFromCommand(text), JOB_NAME)));
  });

  test("times are read with their unit, seconds without", () => {
    assert.deepEqual(
      ["90", "90s", "1.5m", "15min", "2h", "1d", "250ms"].map(parseSeconds),
      [90, 90, 90, 900, 7200, 86_400, 0.25],
    );
    for (const wrong of ["", "0", "-1", "1y", "h", "1e3", "400d", "NaN"]) {
      assert.throws(() => parseSeconds(wrong), /Write a time/, wrong);
    }
  });

  test("whole numbers are whole and within their bounds", () => {
    const parse = parseWhole(-100, 100);
    assert.deepEqual(["-100", "0", "+7", "100"].map(parse), [-100, 0, 7, 100]);
    for (const wrong of ["101", "1.5", "1e1", "", "0x10", " 1"]) assert.throws(() => parse(wrong));
  });

  test("pairs are split at the first equals sign", () => {
    assert.deepEqual(collectPairs("b=c=d", { a: "" }), { a: "", b: "c=d" });
    assert.deepEqual(collectPairs("empty=", undefined), { empty: "" });
    for (const wrong of ["", "=x", "x"]) assert.throws(() => collectPairs(wrong, undefined));
  });

  test("a bare variable passes on its value here, so that no secret is typed", () => {
    const collect = collectEnv({ HERE: "secret" });
    assert.deepEqual(collect("HERE", { A: "1" }), { A: "1", HERE: "secret" });
    assert.deepEqual(collect("B=x=y", undefined), { B: "x=y" });
    assert.throws(() => collect("GONE", undefined), /not set/);
    assert.throws(() => collect("no-name=1", undefined), /NAME=VALUE/);
  });

  test("an id is whole or refused with a way to find it", () => {
    const id = "0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e";
    assert.equal(parseId(id), id);
    for (const wrong of ["0192f0c1", `${id}0`, "hello", ""]) {
      assert.throws(() => parseId(wrong), /signalbox jobs/);
    }
  });

  test("since is a distance from now or a time", () => {
    const parse = parseSince(() => Date.parse("2026-01-02T00:00:00Z"));
    assert.equal(parse("2h"), "2026-01-01T22:00:00.000Z");
    assert.equal(parse("2026-01-01"), "2026-01-01T00:00:00.000Z");
    for (const wrong of ["5", "yesterday", "", "2026-13-01"]) assert.throws(() => parse(wrong));
  });
});
