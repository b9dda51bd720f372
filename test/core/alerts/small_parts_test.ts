import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { limitsFor, limitTable } from "../../../src/core/alerts/effective.ts";
import {
  headline,
  hears,
  isToldAgain,
  messageOf,
  noteOf,
} from "../../../src/core/alerts/message.ts";
import { GIVE_UP_MS, retryAfter } from "../../../src/core/alerts/retry.ts";
import { ruleOf } from "../../../src/core/alerts/rules.ts";
import { isSilenced, type SilenceMatch } from "../../../src/core/alerts/silence.ts";
import { limitProblem } from "../../../src/core/alerts/thresholds.ts";
import { share, span } from "../../../src/core/alerts/words.ts";

const RULE = ruleOf("BackgroundJobFailing")!;

describe("limits", () => {
  test("of a name win over those of its organization, and these over the rule's", () => {
    const row = (jobName: string, limits: object, enabled = true) => {
      return { org: 1, rule: RULE.name, jobName, enabled, limits };
    };
    const table = limitTable([
      row("", { failure_rate: 0.2, runs_min: 9 }),
      row("a", { failure_rate: 0.5 }, false),
    ]);
    const a = limitsFor(table, RULE, 1, "a");
    assert.deepEqual([a.enabled, a.limits.failure_rate, a.limits.runs_min], [false, 0.5, 9]);
    assert.deepEqual(a.from, {
      failure_rate: "name",
      runs_min: "organization",
      window_seconds: "default",
    });
    const other = limitsFor(table, RULE, 2, "a");
    assert.deepEqual([other.enabled, other.limits], [true, RULE.limits]);
  });

  test("that make no sense are refused with what does", () => {
    assert.equal(limitProblem("failure_rate", 0.5), null);
    assert.equal(limitProblem("failure_rate", 5), "must be a number from 0 to 1");
    assert.equal(limitProblem("runs_min", 2.5), "must be a whole number from 1 to 10000");
  });
});

describe("a silence", () => {
  const silence = (more: Partial<SilenceMatch>): SilenceMatch => ({
    ...{ org: 1, rule: null, jobName: null, startsAt: 10, endsAt: 20 },
    ...more,
  });
  const about = { org: 1, rule: RULE.name, jobName: "report-daily" };
  test("covers what it names, while it lasts", () => {
    const rows: [Partial<SilenceMatch>, number, boolean][] = [
      [{}, 10, true],
      [{}, 9, false],
      [{}, 20, false],
      [{ org: 2 }, 15, false],
      [{ org: null }, 15, true],
      [{ rule: "BackgroundJobNotRunning" }, 15, false],
      [{ jobName: "report-*" }, 15, true],
      [{ jobName: "report" }, 15, false],
      [{ jobName: "*" }, 15, true],
    ];
    for (const [more, now, covers] of rows) {
      assert.equal(isSilenced(silence(more), about, now), covers, JSON.stringify(more));
    }
  });
});

describe("a message", () => {
  const note = (status: "firing" | "resolved", rule = RULE, jobName = "a") =>
    noteOf(
      {
        ...{ id: "1", rule, orgName: "acme", jobName, status, since: 0, value: 1, limit: 0 },
        sentence: "Figures.",
      },
      "https://board.example",
    );
  test("begins with the worst, and says how many there are", () => {
    const critical = ruleOf("BackgroundJobCriticallyStale")!;
    const { data } = messageOf([note("resolved"), note("firing"), note("firing", critical)], 0);
    assert.deepEqual(
      data.alerts.map(({ status, severity }) => `${status} ${severity}`),
      ["firing critical", "firing warning", "resolved warning"],
    );
    const message = messageOf(
      Array.from({ length: 150 }, () => note("firing")),
      0,
    );
    assert.deepEqual([message.data.alerts.length, message.data.more], [100, 50]);
    assert.equal(headline(message), "Signalbox alerts: 150 firing");
    assert.equal(
      headline(messageOf([note("resolved")], 0)),
      "[resolved] acme: Resolved: Background job a is failing",
    );
  });

  test("leads to the runbook, whatever the job is called", () => {
    const { runbook_url } = note("firing", RULE, "a&b/#");
    assert.equal(
      runbook_url,
      "https://board.example/board/alerts/rules/BackgroundJobFailing?name=a%26b%2F%23",
    );
  });

  test("goes to channels of its organization and of all, from their severity on", () => {
    assert.ok(hears({ org_id: null, severity: "warning" }, 1, "warning"));
    assert.ok(hears({ org_id: 1, severity: "critical" }, 1, "critical"));
    assert.ok(!hears({ org_id: 1, severity: "critical" }, 1, "warning"));
    assert.ok(!hears({ org_id: 2, severity: "warning" }, 1, "critical"));
  });

  test("is repeated hourly where it is critical, and every four hours else", () => {
    const hour = 3_600_000;
    const at = (now: number) => ({ toldAt: 0, seenAt: now });
    const again = (severity: "critical" | "warning", now: number) =>
      isToldAgain(severity, at(now), now);
    assert.ok(isToldAgain("critical", { toldAt: null, seenAt: 0 }, hour));
    assert.ok(!again("critical", hour - 1) && again("critical", hour));
    assert.ok(!again("warning", hour) && again("warning", 4 * hour));
    assert.ok(!isToldAgain("critical", { toldAt: 0, seenAt: 0 }, hour), "not seen since");
  });

  test("that does not arrive is tried less and less often, and given up after a day", () => {
    const waits = [1, 2, 3, 20].map((attempts) => retryAfter(attempts, 0, 1));
    assert.deepEqual(waits, [15_000, 30_000, 60_000, 3_600_000]);
    assert.equal(retryAfter(1, GIVE_UP_MS, 0), null);
  });
});

describe("figures in sentences", () => {
  test("are two units at most, and never rounded to what is not so", () => {
    assert.equal(span(7_500_000), "2 hours 5 minutes");
    assert.equal(span(86_400_000), "1 day");
    assert.equal(span(600), "600 ms");
    assert.equal(share(0.9999), "99.9 %");
    assert.equal(share(0.0001), "0.1 %");
    assert.equal(share(0.182), "18.2 %");
  });
});
