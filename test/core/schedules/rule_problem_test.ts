import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cronProblem, timeZoneProblem } from "../../../src/core/schedules/rule_problem.ts";

describe("a cron rule", () => {
  test("may have five fields or six, names, lists, ranges, steps, and the last day", () => {
    const good = [
      "* * * * *",
      "*/5 * * * * *",
      "0 9-17/2 * JAN,mar MON-FRI",
      "0 0 L * *",
      "0 12 * * 5#2",
      "0 0 29 2 *",
      " 0  0 * * 7 ",
    ];
    for (const cron of good) assert.equal(cronProblem(cron), null, cron);
  });

  test("that is none is refused with what to write instead", () => {
    const bad: [string, RegExp][] = [
      [
        "",
        /has 0 fields: write 5 \(minute, hour, day, month, weekday\), or 6 with the second first/,
      ],
      ["5", /has 1 field: write 5/],
      ["* * * * * * *", /has 7 fields/],
      ["61 * * * *", /"61" is no minute: write 0 to 59/],
      ["* 24 * * *", /"24" is no hour: write 0 to 23/],
      ["60 * * * * *", /"60" is no second/],
      ["* * 32 * *", /"32" is no day of the month: write 1 to 31/],
      ["* * * FOO *", /"FOO" is no month: write 1 to 12 or JAN to DEC/],
      ["* * * * 8", /"8" is no day of the week/],
      ["5/5 * * * *", /"5\/5" is no minute: .* a step \(\*\/2, 1-9\/2\)/],
      ["*/0 * * * *", /"\*\/0" is no minute/],
      ["9-1 * * * *", /"9-1" is no minute/],
      ["@daily", /write "0 0 \* \* \*" for @daily/],
      ["0 0 31 2 *", /is never due: there is no such day/],
      ["* ".repeat(200), /longer than 200 characters/],
    ];
    for (const [cron, why] of bad) assert.match(cronProblem(cron) ?? "", why, cron);
  });
});

describe("a time zone", () => {
  test("is an IANA name", () => {
    for (const name of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]) {
      assert.equal(timeZoneProblem(name), null, name);
    }
    for (const name of ["", "Mars/Base", "+02:00", "Europe/Berln"]) {
      assert.match(timeZoneProblem(name) ?? "", /write an IANA name such as Europe\/Berlin/, name);
    }
  });
});
