/** Jobs on a real server, scraped by a real Prometheus: both have to tell the same of them. */
import { ALERT_RULES } from "../../../src/core/alerts/rules.ts";
import { Worker } from "../../../src/sdk/worker.ts";
import { eventually } from "../eventually.ts";
import { ADMIN_TOKEN, TestSystem, WORKER_TOKEN } from "../system.ts";
import { boardTable, type Row } from "./board_tables.ts";
import { type Count, near, panels } from "./panels_compared.ts";
import { type Scraper, startScraper } from "./scraper.ts";

const SCRAPES_MIN = 20;
const WAITING = 3;
/** Runs that take so long, beside many that take no time: beyond a limit that the board has too. */
const LONG = 5;
const LONG_MS = 11_000;
const ITEMS = { success: 3, failed: 1, skipped: 2 };
const INTERVAL_SECONDS = 900;
/** One of each, before the range that is looked at: a counter's first value counts for nothing in an increase. */
const BEFORE = { succeeded: 1, failed: 1 };
const JOB = '{organization="default",job_name="sync"}';
const SLOW = { deadlineMs: 180_000, everyMs: 250 };

interface Asked {
  fails?: boolean;
  ms?: number;
}

export async function comparedLive(count: Count): Promise<void> {
  const system = await TestSystem.create({ leaseSeconds: 30 });
  let scraper: Scraper | undefined;
  let worker: Worker | undefined;
  try {
    await system.server();
    worker = await startWorker(system.port);
    scraper = await startScraper(system.port, ADMIN_TOKEN);
    await compare(system, scraper, count);
  } finally {
    await worker?.stop();
    await scraper?.stop();
    await system.stop();
  }
}

async function startWorker(port: number): Promise<Worker> {
  const worker = new Worker({
    url: `ws://127.0.0.1:${port}`,
    token: WORKER_TOKEN,
    name: "prometheus",
    concurrency: LONG + 1,
    handlers: {
      sync: async (job) => {
        const { fails, ms } = job.payload as Asked;
        job.items(ITEMS);
        if (ms !== undefined) await new Promise((done) => setTimeout(done, ms));
        if (fails) throw new Error("as it is asked to");
      },
    },
  });
  await worker.start();
  return worker;
}

async function compare(system: TestSystem, scraper: Scraper, count: Count): Promise<void> {
  const run = runner(system);
  await run({});
  await run({ fails: true });
  await tellInterval(system.port);
  for (let n = 0; n < WAITING; n++) {
    await system.client.submit({ name: "waits", kind: "handler", payload: {} });
  }
  const counted = async (n: number) =>
    (await value(scraper, `sum(job_execution_total${JOB})`)) === n;
  const first = BEFORE.succeeded + BEFORE.failed;
  await eventually(() => counted(first), "the first runs are scraped", SLOW);
  const since = Date.now() / 1_000;
  const ran = await runWhileScraped(scraper, run);
  await eventually(() => counted(first + ran.all), "all runs are scraped", SLOW);
  const rows = await nativeRows(system, first + ran.all);
  await gauges(scraper, rows, count);
  await totals(scraper, rows.sync!, count);
  const seconds = Math.ceil(Date.now() / 1_000 - since);
  await increases(scraper, { ...ran, seconds }, count);
  const [row, waiting] = [rows.sync!, rows.waits!];
  await panels(
    { port: system.port, scraper, row, waiting, before: BEFORE, items: ITEMS, seconds },
    count,
  );
  const rules = await scraper.rules();
  for (const { name } of ALERT_RULES) {
    count(`${name} is evaluated`, rules[name] === "ok" ? null : `it is ${rules[name]}`);
  }
  const wrong = Object.entries(rules).filter(([, health]) => health !== "ok");
  count("all rules are evaluated", wrong.length === 0 ? null : wrong.flat().join(" "));
}

type Run = (asked: Asked) => Promise<void>;

function runner({ client }: TestSystem): Run {
  return async (payload) => {
    const { id } = await client.submit({ name: "sync", kind: "handler", payload });
    await client.wait(id);
  };
}

async function tellInterval(port: number): Promise<void> {
  const { ok } = await fetch(`http://127.0.0.1:${port}/api/v1/orgs/default/expectations`, {
    method: "PUT",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "sync", expected_interval_seconds: INTERVAL_SECONDS }),
  });
  if (!ok) throw new Error("the interval was not taken");
}

/** A run for each scrape, of which every fifth fails, and a few long ones beside them. */
async function runWhileScraped(scraper: Scraper, run: Run) {
  const scrapes = async () => (await value(scraper, 'sum_over_time(up{job="signalbox"}[1h])')) ?? 0;
  const first = await scrapes();
  const long = Promise.all(Array.from({ length: LONG }, () => run({ ms: LONG_MS })));
  let [all, failed] = [0, 0];
  for (let seen = first; seen < first + SCRAPES_MIN; all++) {
    const fails = all % 5 === 4;
    await run({ fails });
    if (fails) failed += 1;
    const before = seen;
    seen = await eventually(async () => {
      const now = await scrapes();
      return now > before ? now : null;
    }, "the next scrape");
  }
  await long;
  return { all: all + LONG, failed };
}

async function value(scraper: Scraper, expr: string): Promise<number | null> {
  const [sample] = await scraper.query(expr);
  return sample === undefined ? null : Number(sample.value[1]);
}

/** What the board's table of background jobs says, by name, once its rollups have every run. */
async function nativeRows(system: TestSystem, runs: number): Promise<Record<string, Row>> {
  const read = async () => {
    const rows = await boardTable(system.port, "names");
    const byName = Object.fromEntries(rows.map((row) => [String(row.name), row]));
    return byName.sync?.runs === runs && byName.waits?.queue === WAITING ? byName : null;
  };
  return eventually(read, `the board tells of ${runs} runs`, SLOW);
}

async function gauges(scraper: Scraper, rows: Record<string, Row>, count: Count): Promise<void> {
  const waits = `job_queue_size{organization="default",job_name="waits"}`;
  same(count, "queue size", await value(scraper, waits), rows.waits!.queue);
  same(
    count,
    "queue size of what does not wait",
    (await value(scraper, `job_queue_size${JOB}`)) ?? 0,
    0,
  );
  const interval = await value(scraper, `job_expected_interval_seconds${JOB}`);
  same(count, "how often it is to run", interval, rows.sync!.expected_interval_seconds);
  const at = Date.parse(String(rows.sync!.last_success_at));
  const told = async () => value(scraper, `job_last_success_timestamp_seconds${JOB}`);
  // The page may have read the rollups after the last scrape.
  const seen = await eventually(async () => {
    const ms = Math.floor(((await told()) ?? 0) * 1_000);
    return Math.abs(ms - at) <= 1 ? ms : null;
  }, `the last success is told as ${rows.sync!.last_success_at}`).catch(told);
  count("time of the last success", Math.abs((seen ?? 0) - at) <= 1 ? null : `${seen}, not ${at}`);
}

async function totals(scraper: Scraper, row: Row, count: Count): Promise<void> {
  const of = (metric: string, status: string) =>
    value(scraper, `sum(${metric}{organization="default",job_name="sync",status="${status}"})`);
  same(count, "runs that ended well", await of("job_execution_total", "success"), row.succeeded);
  same(count, "runs that failed", await of("job_execution_total", "failed"), row.failed);
  for (const status of ["success", "failed", "skipped"]) {
    const items = await of("job_items_processed_total", status);
    same(count, `items: ${status}`, items, row[`items_${status}`]);
  }
  const timed = await value(scraper, `job_execution_duration_seconds_count${JOB}`);
  same(count, "runs whose time is known", timed, row.runs);
}

interface Ran {
  all: number;
  failed: number;
  /** Since the first runs were scraped, and the others had not begun. */
  seconds: number;
}

async function increases(scraper: Scraper, { all, failed, seconds }: Ran, count: Count) {
  const runs = async (status: string) =>
    (await value(scraper, `sum(increase(job_execution_total{status="${status}"}[${seconds}s]))`)) ??
    Number.NaN;
  count("increase of runs that ended well", near(await runs("success"), all - failed, 1));
  count("increase of runs that failed", near(await runs("failed"), failed, 1));
}

function same(count: Count, name: string, told: unknown, native: unknown): void {
  count(name, told === native ? null : `Prometheus tells ${told}, the board ${native}`);
}
