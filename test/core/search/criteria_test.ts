import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  askedOrgIds,
  asksLeasedOnly,
  criteriaOf,
  forAction,
  isNamed,
  statesOf,
} from "../../../src/core/search/criteria.ts";
import { momentRange } from "../../../src/core/search/moment.ts";
import { parseSearch } from "../../../src/core/search/parse.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;
const criteria = (typed: string) => criteriaOf(parseSearch(typed).terms, NOW);
const terms = (typed: string) => parseSearch(typed).terms;
const day = Date.parse("2026-11-01T00:00:00Z");

describe("what a search asks", () => {
  test("of one state or one name is enough, of everything else all must hold", () => {
    const { all } = criteria("state:failed state:cancelled queue:a -queue:b tag:x tag:y word word");
    assert.deepEqual(
      all.map(({ not, any }) => `${not ? "not " : ""}${any.length} ${any[0]!.on}`),
      ["2 state", "1 queue", "not 1 queue", "1 tag", "1 tag", "1 word", "1 word"],
    );
  });

  test("ages count back from now, days are whole days", () => {
    assert.deepEqual(momentRange("<", "24h", NOW), { from: NOW - 24 * HOUR + 1, to: null });
    const broken = momentRange("<", "24h", NOW + 0.375);
    assert.deepEqual(broken, { from: NOW - 24 * HOUR + 1, to: null }, "clocks count parts of it");
    assert.deepEqual(momentRange(">", "2h", NOW), { from: null, to: NOW - 2 * HOUR });
    assert.deepEqual(momentRange(">", "2026-11-01", NOW), { from: day + 24 * HOUR, to: null });
    assert.deepEqual(momentRange(">=", "2026-11-01", NOW), { from: day, to: null });
    assert.deepEqual(momentRange("<", "2026-11-01", NOW), { from: null, to: day });
    assert.deepEqual(momentRange("<=", "2026-11-01", NOW), { from: null, to: day + 24 * HOUR });
    assert.deepEqual(momentRange("=", "2026-11-01", NOW), { from: day, to: day + 24 * HOUR });
    assert.deepEqual(momentRange(">=", "2026-11-01T02:00+02:00", NOW), { from: day, to: null });
    assert.deepEqual(momentRange(">=", "2026-11-01T00:00", NOW), { from: day, to: null });
  });

  test("organizations are looked up among those that are seen", () => {
    const named = [
      { id: 1, name: "acme" },
      { id: 2, name: "acme-labs" },
      { id: 3, name: "hidden" },
    ];
    const asked = (typed: string, seen: "all" | number[] = [1, 2]) =>
      askedOrgIds(terms(typed), seen, named);
    assert.deepEqual(asked(""), [1, 2]);
    assert.equal(asked("", "all"), "all");
    assert.deepEqual(asked("org:acme"), [1]);
    assert.deepEqual(asked("org:acme*"), [1, 2]);
    assert.deepEqual(asked("-org:acme"), [2]);
    assert.deepEqual(asked("-org:acme", "all"), [2, 3]);
    assert.deepEqual(asked("org:hidden"), []);
    assert.deepEqual(asked("org:never-was"), []);
  });

  test("a star stands for anything, everything else for itself", () => {
    assert.ok(isNamed({ value: "build/*", glob: true }, "build/a.b"));
    assert.ok(!isNamed({ value: "a.b*", glob: true }, "axb"));
    assert.ok(!isNamed({ value: "a*", glob: false }, "ab"));
    assert.ok(!isNamed({ value: "ab*bc", glob: true }, "abc"));
    assert.ok(isNamed({ value: "a*b*c", glob: true }, "a-b-b-c"));
    assert.ok(!isNamed({ value: "*a".repeat(500), glob: true }, "a".repeat(499)));
  });

  test("a cancel takes what has not ended, a retry what failed unless more is named", () => {
    const left = (kind: "cancel" | "retry", typed: string) =>
      statesOf(forAction(kind, criteria(typed)));
    assert.deepEqual(left("retry", "queue:a"), ["failed"]);
    assert.deepEqual(left("retry", "state:cancelled state:running"), ["cancelled"]);
    assert.deepEqual(left("retry", "state:succeeded"), []);
    assert.deepEqual(left("cancel", "state:failed state:ready"), ["ready"]);
    assert.deepEqual(left("cancel", ""), ["created", "queued", "ready", "dispatched", "running"]);
  });

  test("jobs on workers alone are few", () => {
    assert.ok(asksLeasedOnly(criteria("state:running state:dispatched queue:x")));
    assert.ok(!asksLeasedOnly(criteria("state:running state:ready")));
    assert.ok(!asksLeasedOnly(criteria("-state:running")));
  });
});
