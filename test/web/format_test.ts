import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import {
  article,
  bytes,
  count,
  decimal,
  duration,
  mebibytes,
  plural,
  shortId,
  signed,
  utc,
} from "../../src/web/format.ts";

describe("figures", () => {
  test("spans say as much as a person wants to know", () => {
    const spans: [number, string][] = [
      [0, "0 ms"],
      [0.4, "<1 ms"],
      [12.9, "12 ms"],
      [999, "999 ms"],
      [1_000, "1.0 s"],
      [1_990, "1.9 s"],
      [59_999, "59 s"],
      [60_000, "1 m"],
      [200_000, "3 m 20 s"],
      [3_600_000, "1 h"],
      [7_500_000, "2 h 5 m"],
      [86_400_000 * 3 + 3_600_000 * 4, "3 d 4 h"],
      [86_400_000 * 12_345, "12,345 d"],
      [-5, "0 ms"],
    ];
    for (const [ms, text] of spans) assert.equal(duration(ms), text);
  });

  test("what is unknown is a dash and never a zero", () => {
    for (const print of [duration, count, decimal, bytes, mebibytes]) {
      assert.equal(print(null), "–");
      assert.equal(print(undefined), "–");
    }
    assert.equal(bytes(Number.NaN), "–");
    assert.equal(duration(Number.POSITIVE_INFINITY), "–");
  });

  test("sizes come in the unit that fits", () => {
    assert.equal(bytes(0), "0 B");
    assert.equal(bytes(1_023), "1,023 B");
    assert.equal(bytes(1_536), "1.5 KiB");
    assert.equal(bytes(1024 ** 3 * 62.8), "62.8 GiB");
    assert.equal(bytes(1024 ** 6 * 9), "9,216 PiB");
    assert.equal(mebibytes(0.5), "512 KiB");
  });

  test("signed figures align, and a tiny one is not a negative nothing", () => {
    assert.equal(signed(12), "+12.00");
    assert.equal(signed(-3.5), "−3.50");
    assert.equal(signed(-0.001), "0.00");
    assert.equal(signed(1234567.8), "+1,234,567.80");
    assert.equal(decimal(-0.001), "0");
    assert.equal(decimal(9.876), "9.88");
  });

  test("words and times", () => {
    assert.equal(plural(1, "worker"), "1 worker");
    assert.equal(plural(1_200, "worker"), "1,200 workers");
    assert.deepEqual(["viewer", "owner"].map(article), ["a viewer", "an owner"]);
    assert.equal(shortId("01a20095-7c82-710f-836a-70d4ba5c3257"), "ba5c3257");
    assert.equal(utc(0), "1970-01-01 00:00:00.000 UTC");
  });
});

test("the browser's clock prints spans with the same words", () => {
  const source = readFileSync(
    fileURLToPath(new URL("../../public/js/clock.js", import.meta.url)),
    "utf8",
  );
  const window: { signalbox?: { duration(ms: number): string } } = {};
  const document = {
    documentElement: { dataset: { now: "0" } },
    querySelectorAll: () => [],
    addEventListener() {},
  };
  runInContext(source, createContext({ window, document, setInterval() {}, Intl, Date }));
  for (let ms = 0; ms < 1e10; ms = ms * 1.37 + 0.7) {
    assert.equal(window.signalbox?.duration(ms), duration(ms), String(ms));
  }
});
