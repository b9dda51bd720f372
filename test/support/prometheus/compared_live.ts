/** Jobs on a real server, scraped by a real Prometheus: both have to tell the same of them. */
import { PANELS } from "../../../deploy/grafana/panels.ts";
import { QUERIES } from "../../../deploy/grafana/queries.ts";
import { ALERT_RULES } from "../../../src/core/alerts/rules.ts";
import { Worker } from "../../../src/sdk/worker.ts";
import { eventually } from "../eventually.ts";
import { ADMIN_TOKEN, TestSystem, WORKER_TOKEN } from "../system.ts";
import { type Scraper, startScraper } from "./scraper.ts";

/** Told of each comparison: null, or what is wrong. */
export type Count = (name: string, fault: string | null) => void;

const SCRAPES_MIN = 20;
const WAITING = 3;
const JOB = '{organization="default",job_name="sync"}';
const SLOW = { deadlineMs: 180_000, everyMs: 250 };
type Row = Record<string, string | number | null>;

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
    handlers: {
      sync: (job) => {
        job.items({ success: 3, failed: 1, skipped: 2 });
        if ((job.payload as { fails?: boolean }).fails) throw new Error("as it is asked to");
      },
    },
  });
  await worker.start();
  return worker;
}

async function compare(system: TestSystem, scraper: Scraper, count: Count): Promise<void> {
  const run = runner(system);
  // A counter's first value counts for nothing in an increase: both have to be there before.
  await run(false);
  await run(true);
  for (let n = 0; n < WAITING; n++) {
    await system.client.submit({ name: "waits", kind: "handler", payload: {} });
  }
  const counted = async (n: number) =>
    (await value(scraper, `sum(job_execution_total${JOB})`)) === n;
  await eventually(() => counted(2), "the first runs are scraped", SLOW);
  const since = Date.now() / 1_000;
  const ran = await runWhileScraped(scraper, run);
  await eventually(() => counted(2 + ran.all), "all runs are scraped", SLOW);
  const rows = await nativeRows(system, 2 + ran.all);
  await gauges(scraper, rows, count);
  await totals(scraper, rows.sync!, count);
  await increases(scraper, { ...ran, since }, count);
  await panels(scraper, count);
  const rules = await scraper.rules();
  for (const { name } of ALERT_RULES) {
    count(`${name} is evaluated`, rules[name] === "ok" ? null : `it is ${rules[name]}`);
  }
}

function runner({ client }: TestSystem) {
  return async (fails: boolean) => {
    const { id } = await client.submit({
      ...{ name: "sync", kind: "handler", payload: { fails } },
    });
    await client.wait(id);
  };
}

/** A run for each scrape, of which every fifth fails. */
async function runWhileScraped(scraper: Scraper, run: (fails: boolean) => Promise<void>) {
  const scrapes = async () => (await value(scraper, 'sum_over_time(up{job="signalbox"}[1h])')) ?? 0;
  const first = await scrapes();
  let [all, failed] = [0, 0];
  for (let seen = first; seen < first + SCRAPES_MIN; all++) {
    const fails = all % 5 === 4;
    await run(fails);
    if (fails) failed += 1;
    const before = seen;
    seen = await eventually(async () => {
      const now = await scrapes();
      return now > before ? now : null;
    }, "the next scrape");
  }
  return { all, failed };
}

async function value(scraper: Scraper, expr: string): Promise<number | null> {
  const [sample] = await scraper.query(expr);
  return sample === undefined ? null : Number(sample.value[1]);
}

/** What the board's table of background jobs says, by name, once its rollups have every run. */
async function nativeRows(system: TestSystem, runs: number): Promise<Record<string, Row>> {
  const url = `http://127.0.0.1:${system.port}/board/background?chart=names&format=json`;
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const read = async () => {
    const table = await (await fetch(url, { headers })).json();
    const rows = (table.rows as Row[string][][]).map((cells) =>
      Object.fromEntries(cells.map((cell, at) => [table.columns[at] as string, cell])),
    );
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
  /** Epoch seconds: the first runs were scraped, the others had not begun. */
  since: number;
}

async function increases(scraper: Scraper, { all, failed, since }: Ran, count: Count) {
  const seconds = Math.ceil(Date.now() / 1_000 - since);
  const ask = (expr: string) => value(scraper, filled(expr, seconds));
  const runs = (status: string) =>
    ask(`sum(increase(job_execution_total{status="${status}"}[$__range]))`);
  near(count, "increase of runs that ended well", await runs("success"), all - failed, 1);
  near(count, "increase of runs that failed", await runs("failed"), failed, 1);
  near(
    count,
    "the panel's success rate",
    await ask(QUERIES.successRate),
    (all - failed) / all,
    1 / all,
  );
  near(count, "the panel's failure rate", await ask(QUERIES.failureRate), failed / all, 1 / all);
}

/** As Grafana does it, of everything. */
function filled(expr: string, seconds: number): string {
  return expr
    .replaceAll("$__range_s", String(seconds))
    .replaceAll("$__range", `${seconds}s`)
    .replaceAll("$__rate_interval", `${seconds}s`)
    .replaceAll(/\$(organization|job_name)\b/g, ".*");
}

async function panels(scraper: Scraper, count: Count): Promise<void> {
  for (const { title, targets } of PANELS) {
    for (const { refId, expr } of targets) {
      const found = await scraper.query(filled(expr, 300)).catch((error: Error) => error.message);
      const fault = typeof found === "string" ? found : found.length === 0 ? "no data" : null;
      count(`panel "${title}", ${refId}`, fault);
    }
  }
}

function same(count: Count, name: string, told: unknown, native: unknown): void {
  count(name, told === native ? null : `Prometheus tells ${told}, the board ${native}`);
}

/** Within 5 %, or one run. */
function near(count: Count, name: string, told: number | null, right: number, one: number): void {
  const off = Math.abs((told ?? Number.NaN) - right);
  const isNear = off <= Math.max(0.05 * right, one);
  count(name, isNear ? null : `Prometheus tells ${told}, and it is ${right}`);
}
