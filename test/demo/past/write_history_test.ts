/** A written past, read as every other: by the API, by the recount, and by rollups. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "../../../src/db/client.ts";
import { findDrift } from "../../../src/db/statements/check_counters.ts";
import { ORGANIZATIONS } from "../../../src/demo/cast/organizations.ts";
import { demoWindows } from "../../../src/demo/past/demo_past.ts";
import { writeHistory } from "../../../src/demo/past/write_history.ts";
import { prepareDemo } from "../../../src/demo/prepare.ts";
import { type ApiBox, apiBox, V1 } from "../../support/api_box.ts";
import { testDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";

const HOUR_MS = 3_600_000;
const until = Date.now() - 1_000;
let box: ApiBox;
let written: { jobs: number; attempts: number };

before(async () => {
  box = await apiBox({}, async () => {
    const database = await testDatabase();
    const sql = await connect(database.url);
    const orgs = new Map<string, number>();
    for (const { name } of ORGANIZATIONS) {
      const [row] = await sql.intake`insert into org (name) values (${name}) returning id`;
      orgs.set(name, row!.id);
    }
    await sql.close();
    const windows = [
      { from: until - 50 * HOUR_MS, to: until - 49 * HOUR_MS, pace: 0.4 },
      { from: until - HOUR_MS, to: until, pace: 0.4 },
    ];
    written = await writeHistory(database.url, {
      ...{ seed: 3, orgs, windows, until, sampleEveryMs: 300_000 },
    });
    return database;
  });
});
after(() => box?.close());

const one = async (text: string) => (await box.database.reads.unsafe(text))[0]!;

describe("a written past", () => {
  test("is complete: every job has an input, one end and all of its attempts", async () => {
    assert.ok(written.jobs > 300, String(written.jobs));
    const counts = await one(`select (select count(*)::int from job) as jobs,
      (select count(*)::int from job_end) as ends, (select count(*)::int from dispatched_job) as attempts,
      (select count(*)::int from decided_job) as decisions,
      (select count(distinct job_id)::int from phase_event where from_state = 'created') as begun`);
    const { jobs, attempts } = written;
    assert.deepEqual(
      { ...counts },
      { jobs, ends: jobs, attempts, decisions: attempts, begun: jobs },
    );
    const apart = await one(`select count(*)::int as n from job_end e
      where (select count(*) from dispatched_job d where d.job_id = e.job_id) <> e.attempt
        or (e.attempt > 0 and not exists (select from dispatched_job d where d.job_id = e.job_id
          and d.attempt = e.attempt and d.ended_at = e.finished_at and d.state_after = e.state))`);
    assert.equal(apart.n, 0);
  });

  test("has no wait below nothing, and nothing of the future", async () => {
    const wrong =
      await one(`select count(*)::int as n from dispatched_job where ready_at < eligible_at
      or dispatched_at < ready_at or started_at < dispatched_at or ended_at < started_at
      or queued_at > eligible_at or ended_at > now()`);
    assert.equal(wrong.n, 0);
    const early = await one(`select count(*)::int as n from phase_event where at < since`);
    assert.equal(early.n, 0);
  });

  test("never gives a worker more than its slots", async () => {
    const rows = await box.database.reads.unsafe(`select d.worker_id, c.concurrency as slots,
      d.dispatched_at as begun, d.ended_at as ended
      from dispatched_job d join worker_connection c on c.id = d.session_id`);
    const steps = rows.flatMap(({ worker_id: worker, slots, begun, ended }) => [
      { worker, slots, at: begun.getTime(), by: 1 },
      { worker, slots, at: ended.getTime(), by: -1 },
    ]);
    const used = new Map<number, number>();
    for (const { worker, slots, by } of steps.sort((a, b) => a.at - b.at || a.by - b.by)) {
      used.set(worker, (used.get(worker) ?? 0) + by);
      assert.ok(used.get(worker)! <= slots, `worker ${worker}`);
    }
  });

  test("has decisions whose terms sum up to the score", async () => {
    const wrong = await one(`select count(*)::int as n from dispatched_job d
      join decided_job x on x.beat = d.beat and x.job_id = d.job_id
      where abs(d.score - (select sum(t) from unnest(x.terms) t)) > 0.1 or cardinality(x.terms) <> 10`);
    assert.equal(wrong.n, 0);
  });

  test("lets no job begin before all that it depends on has ended well", async () => {
    const wrong =
      await one(`select count(*)::int as n from edge e join dispatched_job d on d.job_id = e.dependent_id
      where e.satisfied_at is null or d.ready_at < e.satisfied_at`);
    assert.equal(wrong.n, 0);
  });

  test("moves jobs as the statechart does", async () => {
    const rows =
      await box.database.reads.unsafe(`select job_id, array_agg(from_state::text || '>' || state
      order by id) as steps from phase_event group by 1`);
    for (const { steps } of rows as unknown as { steps: string[] }[]) {
      let at = "created";
      for (const step of steps) {
        const [from, to] = step.split(">");
        assert.equal(from, at, steps.join(" "));
        at = to!;
      }
    }
  });

  test("agrees with the recount of all counters", async () => {
    assert.deepEqual([...(await findDrift(box.database.reads))], []);
  });

  test("is listed, opened and explained by the API", async () => {
    for (const { name: org } of ORGANIZATIONS) {
      const list = await box.call("GET", `${V1}/orgs/${org}/jobs?state=succeeded&limit=3`);
      assert.equal(list.status, 200);
      assert.ok(list.json.items.length > 0);
      for (const { id, name } of list.json.items) {
        const job = (await box.call("GET", `${V1}/jobs/${id}`)).json;
        assert.deepEqual([job.name, job.state], [name, "succeeded"]);
        const attempts = (await box.call("GET", `${V1}/jobs/${id}/attempts`)).json.items;
        assert.ok(attempts[0].usage.peak_ram_mb > 0);
        const events = (await box.call("GET", `${V1}/jobs/${id}/events`)).json.items;
        assert.equal(events.at(-1).state, "succeeded");
        const { dispatch } = (await box.call("GET", `${V1}/jobs/${id}/explain`)).json;
        assert.equal(dispatch.terms[0].rule, "wait_and_priority");
        assert.equal(dispatch.contexts.worker.name, job.worker.name);
        assert.ok(dispatch.contexts.job.history && dispatch.contexts.instance.workers);
        const { averages, windows } = dispatch.contexts.instance;
        assert.ok(windows.completed.w24h > 0 && windows.run_ms.w1h > 0);
        assert.equal(averages.wait_seconds, windows.wait_seconds.w1h);
      }
      const flows = await box.call("GET", `${V1}/orgs/${org}/workflows?limit=1`);
      const [flow] = flows.json.items;
      const whole = (await box.call("GET", `${V1}/workflows/${flow.id}`)).json;
      const counted = Object.values(whole.counts as Record<string, number>).reduce((a, b) => a + b);
      assert.equal(counted, whole.jobs.length);
    }
  });

  test("is found by rollups by themselves", async () => {
    const sum = async () =>
      one(`select coalesce(sum(count), 0)::int as n from metric_rollup where metric = 'jobs.created'
        and granularity = 'minute' and org_id = 0`);
    await eventually(async () => (await sum()).n === written.jobs, "all jobs are counted");
  });

  test("is refused in a database that holds somebody else's jobs", async () => {
    const { database } = box;
    const asked = prepareDemo(database, { seed: 1, now: Date.now(), say: () => {} });
    await assert.rejects(asked, /holds jobs of your own.*--data/s);
  });
});

test("the windows of the demo's past lie side by side, and end before now", () => {
  const now = Date.UTC(2026, 5, 7, 0, 20);
  const windows = demoWindows(now);
  for (const [at, { from, to }] of windows.entries()) {
    assert.ok(from < to && to < now);
    if (at > 0) assert.ok(windows[at - 1]!.to < from);
  }
  assert.ok(windows.at(-1)!.to - windows.at(-1)!.from >= 23 * HOUR_MS);
});
