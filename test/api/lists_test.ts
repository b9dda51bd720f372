/** What the contract says of lists: `{items, next_cursor}`, and nothing is cut silently. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { z } from "zod";
import { ALL_ROUTES } from "../../src/api/all_routes.ts";
import { type ApiBox, apiBox, V1 } from "../support/api_box.ts";

const ORG = `${V1}/orgs/default`;
const HOUR = 3_600_000;
let box: ApiBox;

before(async () => {
  box = await apiBox();
});
after(async () => {
  assert.deepEqual(box.faults, []);
  await box.close();
});

/** All items of a list, two at a time; each page but the last is full. */
async function walk(path: string): Promise<Record<string, unknown>[]> {
  const seen: Record<string, unknown>[] = [];
  for (let cursor = ""; ; ) {
    const { status, json } = await box.call("GET", `${path}?limit=2${cursor}`);
    assert.equal(status, 200, JSON.stringify(json));
    seen.push(...json.items);
    if (json.next_cursor === null) return seen;
    assert.equal(json.items.length, 2);
    cursor = `&cursor=${json.next_cursor}`;
  }
}

async function names(...all: string[]): Promise<number[]> {
  const { beats } = box.database;
  const rows = await beats`
    insert into job_name (org_id, name) select 1, unnest(${all}::text[]) returning id, name`;
  return all.map((name) => rows.find((row) => row.name === name)!.id as number);
}

test("every route that answers items answers next_cursor", () => {
  const without = ALL_ROUTES.filter(({ answers }) => {
    const schema = answers[200]?.schema;
    if (!(schema instanceof z.ZodObject)) return false;
    return schema.shape.items instanceof z.ZodArray && !("next_cursor" in schema.shape);
  });
  assert.deepEqual(
    without.map(({ path }) => path),
    [],
  );
});

describe("a list that is longer than a page goes on", () => {
  test("of expectations, by name", async () => {
    const all = ["a-1", "b", "c.2", "d", "e"];
    await names(...all);
    for (const name of all.toReversed()) {
      const body = { name, expected_interval_seconds: 600 };
      assert.equal((await box.call("PUT", `${ORG}/expectations`, body)).status, 200);
    }
    const seen = await walk(`${ORG}/expectations`);
    assert.deepEqual(
      seen.map(({ name }) => name),
      all,
    );
  });

  test("of alerts, those that fire first and the critical before the others", async () => {
    const all = ["f1", "f2", "f3", "f4", "f5"];
    const ids = await names(...all);
    const kinds = [
      ["pending", "critical"],
      ["firing", "warning"],
      ["firing", "critical"],
      ["firing", "critical"],
      ["pending", "warning"],
    ] as const;
    const at = Date.now() - HOUR;
    for (const [n, id] of ids.entries()) {
      const [state, severity] = kinds[n]!;
      // Two of one moment, told apart by less than a millisecond.
      await box.database.beats`
        insert into alert (id, rule, org_id, name_id, severity, state, since, seen_at, known_at, sentence)
        values (${crypto.randomUUID()}, 'BackgroundJobFailing', 1, ${id}, ${severity}, ${state},
          ${new Date(at)}::timestamptz + ${n} * interval '1 microsecond', now(), now(), 'Figures.')`;
    }
    for (const path of [`${ORG}/alerts`, `${V1}/alerts`]) {
      const seen = await walk(path);
      assert.deepEqual(seen.map(({ job_name }) => job_name).toSorted(), all, "each once");
      assert.deepEqual(
        seen.map(({ state, severity }) => [state, severity]),
        kinds.toSorted().map((kind) => [...kind]),
      );
    }
  });

  test("of silences, those that end last first", async () => {
    const made: string[] = [];
    for (const hours of [1, 2, 3, 3, 4]) {
      const ends_at = new Date(Math.floor(Date.now() / HOUR + 1 + hours) * HOUR).toISOString();
      const { json } = await box.call("POST", `${ORG}/silences`, { reason: "x", ends_at });
      made.push(json.id);
    }
    const seen = await walk(`${ORG}/silences`);
    assert.deepEqual(seen.map(({ id }) => id).toSorted(), made.toSorted());
    const ends = seen.map(({ ends_at }) => ends_at as string);
    assert.deepEqual(ends, ends.toSorted().toReversed());
  });

  test("of clean-ups that were asked for, the newest first", async () => {
    for (let n = 0; n < 5; n++) {
      await box.database.beats`
        insert into admin_task (id, kind, state, replica_id, created_by, progress, finished_at)
        values (uuidv7(), 'deep_gc', 'done', ${crypto.randomUUID()}, 'admin', '[]', now())`;
    }
    const seen = (await walk(`${V1}/admin/tasks`)).map(({ id }) => id as string);
    assert.equal(new Set(seen).size, 5);
    assert.deepEqual(seen, seen.toSorted().toReversed());
  });
});

describe("a silence of the instance", () => {
  test("is in the list of an organization of which it can cover a job, and is not ended there", async () => {
    await names("nightly-report");
    const silence = async (job_name: string | null) => {
      const body = { reason: "power", seconds: 60, job_name };
      return (await box.call("POST", `${V1}/silences`, body)).json.id as string;
    };
    const [all, own, foreign] = [
      await silence(null),
      await silence("nightly-*"),
      await silence("somebody-elses"),
    ];
    const { items } = (await box.call("GET", `${ORG}/silences?limit=1000`)).json;
    const told = items.filter((item: { org: string | null }) => item.org === null);
    assert.deepEqual(told.map(({ id }: { id: string }) => id).toSorted(), [all, own].toSorted());
    const ended = await box.call("POST", `${ORG}/silences/${own}/end`);
    assert.equal(ended.status, 403);
    assert.match(ended.json.detail, /of the instance: superusers end it/);
    assert.equal((await box.call("POST", `${ORG}/silences/${foreign}/end`)).status, 404);
    assert.equal((await box.call("POST", `${V1}/silences/${own}/end`)).status, 200);
  });
});
