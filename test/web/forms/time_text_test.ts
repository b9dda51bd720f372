import assert from "node:assert/strict";
import { test } from "node:test";
import { secondsIn, timeText } from "../../../src/web/forms/time_text.ts";

test("a span of time is written so that it can be typed again", () => {
  const written = [0, 1, 90, 600, 5_400, 86_400, 90_061].map((seconds) => timeText(seconds));
  assert.deepEqual(written, [
    ...["0 s", "1 s", "1 min 30 s", "10 min", "1 h 30 min", "1 d", "1 d 1 h 1 min 1 s"],
  ]);
  for (const seconds of [0, 1, 59, 60, 3_599, 86_399, 604_800, 31_536_000]) {
    assert.equal(secondsIn(timeText(seconds)), seconds);
  }
});

test("a span of time may be typed in the ways that people have", () => {
  const typed: [string, number][] = [
    ["90", 90],
    ["1.5", 1.5],
    ["90s", 90],
    ["15min", 900],
    ["15 minutes", 900],
    ["5 m", 300],
    ["1h30m", 5_400],
    ["1.1 h", 3_960],
    ["1 Day, 2 hours", 93_600],
  ];
  for (const [text, seconds] of typed) assert.equal(secondsIn(text), seconds, text);
});

test("what is no span of time is none", () => {
  for (const text of ["", "soon", "5 parsecs", "15 min x", "-5", "1e3", "min", "1,5 h"]) {
    assert.equal(secondsIn(text), null, text);
  }
});
