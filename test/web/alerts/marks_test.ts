/** When alerts fired, for charts: pure, and as it is read. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { OrgFilter } from "../../../src/core/scope.ts";
import { type AlertMark, readAlertMarks, spansOf } from "../../../src/web/alerts/marks.ts";
import { Rig } from "../../support/engine.ts";

const SPAN = { from: 1_000, to: 2_000 };
const mark = (at: number, kind: AlertMark["kind"], over: Partial<AlertMark> = {}): AlertMark => ({
  ...{ at, kind, rule: "BackgroundJobFailing", severity: "warning", org: "acme", job_name: "a" },
  ...over,
});
const times = (...marks: AlertMark[]) =>
  spansOf(marks, SPAN).map(({ job_name, from, to }) => [job_name, from, to]);

describe("the spans of alerts", () => {
  test("go from where one fires to where it ends, whatever order they come in", () => {
    assert.deepEqual(times(mark(1_300, "resolved"), mark(1_100, "firing")), [["a", 1_100, 1_300]]);
    assert.deepEqual(
      times(
        ...[mark(1_100, "firing"), mark(1_200, "lapsed")],
        ...[mark(1_500, "firing"), mark(1_600, "resolved")],
      ),
      [
        ["a", 1_100, 1_200],
        ["a", 1_500, 1_600],
      ],
    );
  });

  test("begin with the span where they began before it, and end with it where they fire still", () => {
    assert.deepEqual(times(mark(1_400, "resolved")), [["a", 1_000, 1_400]]);
    assert.deepEqual(times(mark(500, "firing")), [["a", 1_000, 2_000]]);
    assert.deepEqual(times(mark(500, "firing"), mark(1_200, "resolved")), [["a", 1_000, 1_200]]);
    assert.deepEqual(times(mark(1_700, "firing")), [["a", 1_700, 2_000]]);
    assert.deepEqual(times(), []);
  });

  test("keep rules, organizations and jobs apart", () => {
    const other = mark(1_200, "firing", { job_name: "b" });
    const rule = mark(1_300, "firing", { rule: "BackgroundJobNotRunning" });
    const org = mark(1_400, "firing", { org: "zeta" });
    const spans = spansOf([mark(1_100, "firing"), other, rule, org], SPAN);
    assert.deepEqual(
      spans.map(({ from }) => from),
      [1_100, 1_200, 1_300, 1_400],
    );
  });
});

describe("marks as they are read", () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.bare();
  });
  after(() => rig.stop());

  test("are those of the span and of what fires since before it, of organizations that are seen", async () => {
    const [org] = await rig.sql`select id from org where name = 'default'`;
    const [other] = await rig.sql`insert into org (name) values ('other') returning id`;
    const ids = new Map<string, number>();
    for (const [name, of] of [
      ["mine", org!.id],
      ["theirs", other!.id],
    ] as const) {
      const [row] = await rig.sql`
        insert into job_name (org_id, name) values (${of}, ${name}) returning id`;
      ids.set(name, row!.id);
    }
    const event = (name: string, kind: string, at: number) => rig.sql`
      insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, sentence)
      select gen_random_uuid(), ${kind}, ${new Date(at)}, 'BackgroundJobFailing', org_id, id, 'warning',
        ${new Date(at)}, 'x' from job_name where id = ${ids.get(name)!}`;
    const now = Date.now();
    await event("mine", "resolved", now - 90_000);
    await event("mine", "firing", now - 30_000);
    await event("theirs", "firing", now - 30_000);
    await rig.sql`
      insert into alert (id, rule, org_id, name_id, severity, state, since, seen_at, known_at, fired_at, sentence)
      values (gen_random_uuid(), 'BackgroundJobNotRunning', ${org!.id}, ${ids.get("mine")!}, 'critical', 'firing',
        now() - interval '1 hour', now(), now(), now() - interval '1 hour', 'x')`;
    const span = { from: now - 60_000, to: now };
    const sql = rig.sql as never;
    const read = async (orgs: OrgFilter, names = [...ids.values()]) => {
      const { marks, isWhole } = await readAlertMarks(sql, orgs, { ...span, names });
      assert.ok(isWhole);
      return marks.map((one) => `${one.job_name} ${one.rule} ${one.org}`);
    };
    assert.deepEqual(await read([org!.id]), [
      "mine BackgroundJobFailing default",
      "mine BackgroundJobNotRunning default",
    ]);
    assert.equal((await read("all")).length, 3);
    assert.deepEqual(await read("all", [ids.get("theirs")!]), [
      "theirs BackgroundJobFailing other",
    ]);
    assert.deepEqual(await read("all", []), []);
    assert.deepEqual(await read([]), []);
  });

  test("a name whose alerts come and go takes no place of another, and the page is told so", async () => {
    const [org] = await rig.sql`select id from org order by id limit 1`;
    const rows = await rig.sql`
      insert into job_name (org_id, name)
      select ${org!.id}, n from unnest(array['flaps', 'steady']) n returning id`;
    const names = rows.map(({ id }) => id as number);
    const now = Date.now();
    await rig.sql`
      insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, sentence)
      select gen_random_uuid(), 'firing', now() - n * interval '1 second', 'BackgroundJobFailing',
        ${org!.id}, ${names[0]!}, 'warning', now(), 'x' from generate_series(1, 500) n`;
    await rig.sql`
      insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, sentence)
      values (gen_random_uuid(), 'firing', now() - interval '1 minute', 'BackgroundJobFailing',
        ${org!.id}, ${names[1]!}, 'warning', now(), 'x')`;
    const asked = { from: now - 600_000, to: now + 1_000, names };
    const { marks, isWhole } = await readAlertMarks(rig.sql as never, "all", asked);
    assert.ok(!isWhole && marks.length === 200);
    assert.equal(marks.filter((one) => one.job_name === "steady").length, 1);
  });

  test("of what was cut no end is shaded whose beginning is not known, and what fires all the time is", async () => {
    const [name] = await rig.sql`
      insert into job_name (org_id, name) select id, 'turns' from org order by id limit 1 returning id, org_id`;
    const now = Date.now();
    await rig.sql`
      insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, sentence)
      select gen_random_uuid(), case when n % 2 = 0 then 'firing' else 'resolved' end, now() - n * interval '1 second',
        'BackgroundJobFailing', ${name!.org_id}, ${name!.id}, 'warning', now(), 'x' from generate_series(3, 402) n`;
    await rig.sql`
      insert into alert (id, rule, org_id, name_id, severity, state, since, seen_at, known_at, fired_at, sentence)
      values (gen_random_uuid(), 'BackgroundJobNotRunning', ${name!.org_id}, ${name!.id}, 'critical', 'firing',
        now() - interval '1 day', now(), now(), now() - interval '1 day', 'x')`;
    const span = { from: now - 600_000, to: now + 1_000 };
    const { marks, isWhole } = await readAlertMarks(rig.sql as never, "all", {
      ...span,
      names: [name!.id],
    });
    assert.ok(!isWhole);
    const spans = spansOf(marks, span);
    const failing = spans.filter(({ rule }) => rule === "BackgroundJobFailing");
    assert.ok(failing.length >= 99 && failing.every(({ from, to }) => to - from <= 2_000));
    const standing = spans.find(({ rule }) => rule === "BackgroundJobNotRunning");
    assert.deepEqual([standing?.from, standing?.to], [span.from, span.to]);
  });
});
