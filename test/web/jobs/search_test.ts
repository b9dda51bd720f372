/** Searches over a big table: what they read, what they cover, and that going on finds each job once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import type { OrgFilter } from "../../../src/core/scope.ts";
import { parseSearch } from "../../../src/core/search/parse.ts";
import { type Search, searchJobs } from "../../../src/web/jobs/search.ts";
import { type ApiBox, apiBox, hello, JOBS, V1 } from "../../support/api_box.ts";

const OWN = 12_000;
const never = "2999-01-01T00:00:00Z";

describe("a search", () => {
  let box: ApiBox;
  let sql: postgres.Sql;
  let other: number;
  before(async () => {
    box = await apiBox();
    sql = postgres(box.database.url, { max: 2, onnotice: () => {} });
    const first = (await box.call("POST", JOBS, { ...hello, name: "rare", run_at: never })).json.id;
    const [org] =
      await sql`insert into org (name, is_public) values ('zother', false) returning id`;
    other = org!.id;
    await copies(first, 1, OWN);
    await copies(first, other, 20_000);
    await sql`analyze`;
  });
  after(async () => {
    await sql.end();
    await box.close();
  });

  /** Ended jobs, one of a hundred failed, whose ids interleave with those of other organizations. */
  async function copies(of: string, org: number, n: number): Promise<void> {
    await sql`
      with made as (
        insert into job (id, org_id, queue_id, name_id, shape_id, kind, priority, max_attempts,
          backoff_base, backoff_factor, backoff_max, created_at, tags, payload)
        select (left(replace(${of}::text, '-', ''), 12) || '7' || lpad(to_hex(i % 4096), 3, '0') || '8'
            || lpad(to_hex(i), 7, '0') || lpad(to_hex(${org}::int), 8, '0'))::uuid,
          ${org}, queue_id, name_id, shape_id, kind, 0, 1, 1, 1, 1, created_at,
          jsonb_build_object('n', i::text), json_build_object('text', 'needle ' || (i % 1000))
        from job, generate_series(1, ${n}) i where id = ${of}
        returning id, org_id, queue_id, name_id, tags)
      insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
        queued_at, error)
      select id, now(), org_id, queue_id, name_id,
        case when (tags ->> 'n')::int % 100 = 0 then 'failed' else 'succeeded' end::job_state,
        1, 0, now(), case when (tags ->> 'n')::int % 100 = 0 then 'no space' end
      from made`;
  }

  const deps = () => ({
    database: box.database,
    names: box.engine.names,
    now: () => box.engine.now(),
  });
  function ask(typed: string, more: Partial<Search> = {}) {
    const { terms, problems } = parseSearch(typed);
    assert.deepEqual(problems, []);
    return searchJobs(deps(), {
      ...{ terms, orgs: [1], isWhole: false, direction: "older", from: null },
      ...{ limit: 50, scanMax: 5_000, budgetMs: 60_000, statementMs: 10_000 },
      ...more,
    });
  }
  async function everything(typed: string, more: Partial<Search> = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let from: string | null = null; ; ) {
      const { rows, walked } = await ask(typed, { ...more, from });
      ids.push(...rows.map(({ id }) => id));
      if (walked.isEnd) return ids;
      assert.notEqual(walked.reached, from, "each page goes on");
      from = walked.reached;
    }
  }

  test("looks at 5,000 rows at most, by what PostgreSQL itself counts", async () => {
    const asked = ["", "payload:nowhere", "error:nowhere", "state:ready", "-tag:n name:none*"];
    const scopes: [OrgFilter, boolean][] = [
      [[1], false],
      [[1, other], false],
      ["all", true],
    ];
    for (const typed of asked) {
      for (const [orgs, isWhole] of scopes) {
        const sent = await statementsOf(() => ask(typed, { orgs, isWhole }));
        const read = new Map<string, number>();
        for (const { text, params } of sent) {
          const rows = await sql.unsafe(
            `explain (analyze, format json) ${text}`,
            params as never[],
          );
          for (const { Plan: plan } of rows[0]!["QUERY PLAN"]) count(plan, read);
        }
        for (const table of ["job", "job_end", "live_job"]) {
          const most = read.get(table) ?? 0;
          const what = `${most} rows of ${table} for “${typed}” of ${orgs}`;
          // Those of the page are read once more, whole.
          assert.ok(most <= 5_000 + 2 * 51, what);
        }
      }
    }
  });

  test("says how far it got, and goes on from there to the end", async () => {
    const { rows, walked } = await ask("payload:nowhere");
    assert.deepEqual([rows.length, walked.isEnd, walked.scanned], [0, false, 5_000]);
    assert.ok(walked.reached);
    const failed = await everything("state:failed error:SPACE");
    assert.equal(failed.length, OWN / 100);
    assert.deepEqual(failed, [...new Set(failed)].sort().reverse());
    assert.equal((await everything('payload:"needle 7"')).length, countOf(OWN, /^7/));
    assert.equal((await everything("state:queued")).length, 1);
    assert.equal((await everything("tag:n=77")).length, 1);
  });

  test("covers the same span whatever others have", async () => {
    const before = (await ask("payload:nowhere")).walked;
    for (const table of ["job", "job_end"]) {
      await sql`delete from ${sql(table)} where org_id = ${other}`;
    }
    const without = (await ask("payload:nowhere")).walked;
    assert.deepEqual([without.reached, without.scanned], [before.reached, before.scanned]);
    const first = (await sql`select id from job where org_id = 1 order by id limit 1`)[0]!.id;
    await copies(first, other, 3_000);
    const both = await everything("state:failed", { orgs: [1, other] });
    const whole = await everything("state:failed", { orgs: "all", isWhole: true });
    assert.deepEqual(both, whole);
    assert.equal(both.length, OWN / 100 + 30);
    assert.equal((await everything("state:failed", { orgs: [] })).length, 0);
  });

  test("pages hold each job once while others are made and end, in both directions", async () => {
    const worker = await box.worker({ name: "w", handlers: ["move"] });
    const moving: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      const body = { name: "move", kind: "handler" };
      moving.push((await box.call("POST", JOBS, body)).json.id);
    }
    const pages: string[][] = [];
    let from: string | null = null;
    for (let turn = 0; turn < 6; turn += 1) {
      const { rows, walked } = await ask("name:move", { limit: 5, from });
      pages.push(rows.map(({ id }) => id));
      from = walked.reached;
      for (const id of moving.slice(turn * 5, turn * 5 + 3)) {
        const lease = await worker.take(id);
        worker.start(lease);
        worker.end(lease);
        await box.reaches(id, "succeeded");
      }
      await box.call("POST", JOBS, { name: "move", kind: "handler", run_at: never });
    }
    assert.deepEqual(pages.flat(), moving.toReversed());
    const back = await ask("name:move", { direction: "newer", from: moving[4]!, limit: 5 });
    assert.deepEqual(
      back.rows.map(({ id }) => id),
      moving.slice(5, 10),
    );
  });

  test("that the database is too slow for is answered with what it covered", async () => {
    const release = await held();
    const { rows, walked } = await ask("payload:needle", { statementMs: 100, budgetMs: 300 });
    await release();
    assert.deepEqual([rows, walked.isEnd, walked.isSlow, walked.reached], [[], false, true, null]);
    const { status, json } = await box.call(
      "GET",
      `${V1}/orgs/default/jobs?q=payload:needle&limit=1`,
    );
    assert.deepEqual([status, json.items.length], [200, 1]);
  });

  /** Nobody reads jobs until it is called. */
  async function held(): Promise<() => Promise<void>> {
    const own = await sql.reserve();
    await own.unsafe("begin; lock table job in access exclusive mode");
    return async () => {
      await own.unsafe("rollback");
      own.release();
    };
  }

  async function statementsOf(run: () => Promise<unknown>) {
    const sent: { text: string; params: unknown[] }[] = [];
    const { options } = box.database.reads as unknown as { options: { debug: unknown } };
    options.debug = (_: number, text: string, params: unknown[]) => sent.push({ text, params });
    await run();
    options.debug = false;
    return sent.filter(({ text }) => /^\s*(with|select)\b/.test(text) && / job/.test(text));
  }
});

interface PlanNode {
  "Relation Name"?: string;
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  Plans?: PlanNode[];
}

/** Rows that all scans together looked at, by table; a day's partition counts for its table. */
function count(node: PlanNode, read: Map<string, number>): void {
  const table = node["Relation Name"]?.replace(/_\d{8}$/, "");
  if (table !== undefined) {
    const rows = (node["Actual Rows"] ?? 0) + (node["Rows Removed by Filter"] ?? 0);
    read.set(table, (read.get(table) ?? 0) + rows * (node["Actual Loops"] ?? 1));
  }
  for (const child of node.Plans ?? []) count(child, read);
}

function countOf(n: number, pattern: RegExp): number {
  return Array.from({ length: n }, (_, i) => String((i + 1) % 1_000)).filter((text) =>
    pattern.test(text),
  ).length;
}
