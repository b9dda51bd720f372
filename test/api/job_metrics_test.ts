/** What Prometheus is told of jobs by name. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
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
        return line.startsWith("job_") ? [[line.slice(0, at), Number(line.slice(at + 1))]] : [];
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
    // Three names came before them.
    await told(of("job_execution_total", "other", ',status="success"'), NAMES - 197 + 1);
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
