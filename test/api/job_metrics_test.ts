/** What Prometheus is told of jobs by name. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SYSTEM_ORG_ID } from "../../src/core/background/system_org.ts";
import { THRESHOLDS } from "../../src/core/background/thresholds.ts";
import { RUN_SECONDS } from "../../src/engine/background/run_tally.ts";
import { type ApiBox, apiBox, type HandWorker, JOBS, TOKEN } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";
import { computed } from "../support/metrics/computed.ts";

const NAMES = 203;

describe("metrics of jobs", () => {
  let box: ApiBox;
  let worker: HandWorker;
  let heart: ReturnType<typeof setInterval>;
  before(async () => {
    box = await apiBox({ rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 });
    worker = await box.worker();
    // Two hundred jobs by hand take longer than a lease holds, where the machine is busy.
    heart = setInterval(() => worker.session.handle({ type: "heartbeat" }), 5_000);
  });
  after(async () => {
    clearInterval(heart);
    assert.deepEqual(box.faults, []);
    await box.close();
  });

  const submit = async (name: string): Promise<string> =>
    (await box.call("POST", JOBS, { name, payload: { command: ["true"] } })).json.id;
  async function run(name: string, end: Parameters<HandWorker["end"]>[1]): Promise<void> {
    const id = await submit(name);
    worker.end(await worker.take(id), end);
    await box.reaches(id, "succeeded", "failed");
  }
  const scrape = async () => {
    const { status, text } = await box.call("GET", "/metrics", undefined, {
      authorization: `Bearer ${TOKEN}`,
    });
    assert.equal(status, 200);
    return new Map(
      text.split("\n").flatMap((line): [string, number][] => {
        const at = line.lastIndexOf(" ");
        if (!line.startsWith("job_")) return [];
        const value = line.slice(at + 1);
        return [[line.slice(0, at), value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value)]];
      }),
    );
  };
  const of = (metric: string, name: string, more = "") =>
    `${metric}{organization="default",job_name="${name}"${more}}`;
  /** A scrape shares what was looked at within the last second. */
  const told = (line: string, value: number) =>
    eventually(async () => (await scrape()).get(line) === value, `${line} ${value}`);

  test("count runs by how they ended, their times, and their items", async () => {
    const items = { success: 3, failed: 1, skipped: 2 };
    await run("sync", { outcome: "succeeded", run_ms: 400, items });
    await run("sync", { outcome: "succeeded", run_ms: 700_000, items });
    await run("sync", { outcome: "failed", run_ms: 2_000_000, error: "away" });
    await told(of("job_execution_total", "sync", ',status="success"'), 2);
    const lines = await scrape();
    assert.equal(lines.get(of("job_execution_total", "sync", ',status="failed"')), 1);
    const upTo = (le: string) =>
      lines.get(of("job_execution_duration_seconds_bucket", "sync", `,le="${le}"`));
    assert.deepEqual(
      ["0.1", "0.5", "600", "1200", "1800", "3600", "+Inf"].map(upTo),
      [0, 1, 1, 2, 2, 3, 3],
    );
    assert.equal(lines.get(of("job_execution_duration_seconds_sum", "sync")), 2_700.4);
    assert.equal(lines.get(of("job_execution_duration_seconds_count", "sync")), 3);
    for (const [status, n] of Object.entries({ success: 6, failed: 2, skipped: 4 })) {
      assert.equal(lines.get(of("job_items_processed_total", "sync", `,status="${status}"`)), n);
    }
  });

  test("tell when each name succeeded last, and say nothing of one that never did", async () => {
    await run("breaks", { outcome: "failed", run_ms: 5, error: "always" });
    await computed(box.engine.rollups, box.database.intake);
    const [row] = await box.database.reads`
      select extract(epoch from max(ended_at))::float8 as at from dispatched_job d
      join job_name n on n.id = d.name_id where n.name = 'sync' and d.outcome = 'succeeded'`;
    await told(of("job_last_success_timestamp_seconds", "sync"), row!.at);
    assert.equal((await scrape()).has(of("job_last_success_timestamp_seconds", "breaks")), false);
  });

  test("tell when each name failed last, and say nothing of one that never did", async () => {
    await run("works", { outcome: "succeeded", run_ms: 5 });
    await computed(box.engine.rollups, box.database.intake);
    const [row] = await box.database.reads`
      select extract(epoch from max(ended_at))::float8 as at from dispatched_job d
      join job_name n on n.id = d.name_id where n.name = 'breaks'`;
    await told(of("job_last_failure_timestamp_seconds", "breaks"), row!.at);
    assert.equal((await scrape()).has(of("job_last_failure_timestamp_seconds", "works")), false);
  });

  test("tell how often a name is to run: by its schedules, else as it was said, else nothing", async () => {
    // Later than anything that is written by itself as of now.
    const at = new Date("2099-01-02T03:04:05Z");
    const schedule = async (name: string, cron: string, paused: boolean) =>
      box.database.intake`
        insert into schedule (id, org_id, name, cron, time_zone, job, overlap, catch_up, catch_up_max, jitter_seconds,
          paused_at, settled_until, created_at, created_by, updated_at, updated_by)
        values (${randomUUID()}, 1, ${`${name} ${cron}`}, ${cron}, 'UTC', ${JSON.stringify({ name })}::text::json,
          'skip', 'none', 1, 0, ${paused ? at : null}, ${new Date(Date.now() + 3_600_000)}, ${at}, 'x', ${at}, 'x')`;
    for (const name of ["sync", "works", "breaks"]) {
      await box.call("PUT", "/api/v1/orgs/default/expectations", {
        ...{ name, expected_interval_seconds: 900, grace_seconds: 30 },
      });
    }
    await schedule("works", "*/10 * * * *", false);
    await schedule("works", "* * * * *", true);
    await schedule("breaks", "*/10 * * * *", true);
    await schedule("never-submitted", "*/10 * * * *", false);
    await box.database.intake`
      insert into job_name (org_id, name) values (${SYSTEM_ORG_ID}, 'retention') on conflict do nothing`;
    const expected = (name: string) => of("job_expected_interval_seconds", name);
    await told(expected("works"), 600);
    const lines = await scrape();
    assert.equal(lines.get(expected("sync")), 900);
    assert.equal(lines.get(expected("breaks")), Number.POSITIVE_INFINITY);
    for (const name of ["never-submitted", "late"]) assert.ok(!lines.has(expected(name)), name);
    const own = `job_expected_interval_seconds{organization="system",job_name="retention"}`;
    assert.equal(lines.get(own), 3_600);
    // Figures of what ended come once an hour here, and nobody is late by that.
    const grace = (name: string) => lines.get(of("job_expected_grace_seconds", name));
    assert.deepEqual([grace("sync"), grace("works")], [30 + 3_540, 120 + 3_540]);
    const since = (name: string) => lines.get(of("job_expected_since_timestamp_seconds", name));
    assert.deepEqual([since("works"), since("breaks")], [at.getTime() / 1_000, undefined]);
    assert.ok(since("sync")! > Date.now() / 1_000 - 600);
  });

  test("tell how much of a name waits, and 0 or nothing when it does not any more", async () => {
    worker.leave();
    const ids = [await submit("late"), await submit("late")];
    await told(of("job_queue_size", "late"), 2);
    for (const id of ids) await box.engine.cancelJob(id, "tester");
    // Where it came and went between two folds of the counters, nothing is left that says 0.
    await eventually(
      async () => ((await scrape()).get(of("job_queue_size", "late")) ?? 0) === 0,
      "nothing waits",
    );
    worker = await box.worker();
  });

  test("count what is beyond the first 200 names of an organization as others, and tell each line once", async () => {
    const jobs = Array.from({ length: NAMES }, (_, at) => ({
      ...{ name: `many-${String(at).padStart(3, "0")}`, payload: { command: ["true"] } },
    }));
    const { json } = await box.call("POST", `${JOBS}/bulk`, { jobs });
    for (const id of json.ids as string[]) worker.end(await worker.take(id));
    for (const id of json.ids as string[]) await box.reaches(id, "succeeded");
    await run("other", { outcome: "succeeded" });
    // Four names came before them.
    await told(of("job_execution_total", "other", ',status="success"'), NAMES - 196 + 1);
    const { text } = await box.call("GET", "/metrics", undefined, {
      authorization: `Bearer ${TOKEN}`,
    });
    const names = text
      .split("\n")
      .flatMap((line) => (line.startsWith("job_") ? [line.slice(0, line.lastIndexOf(" "))] : []));
    assert.equal(new Set(names).size, names.length);
  });
});

test("buckets go beyond every threshold of a run time", () => {
  const { alert, bad } = THRESHOLDS.duration_p95_seconds;
  const longest = Math.max(bad, alert.warning.limit, alert.critical.limit);
  assert.ok(RUN_SECONDS.filter((limit) => limit > longest).length >= 3);
  assert.ok(RUN_SECONDS.at(-1)! >= 1_800);
});
