/** graphile-worker with its own driver (pg), plain or with its local queue. */
import { type Runner, runMigrations, run as runWorker } from "graphile-worker";
import pg from "pg";
import { answer } from "../support/answer.ts";
import { now } from "../support/clock.ts";

interface Run {
  url: string;
  concurrency: number;
  /** Jobs fetched at once; absent: none, each is fetched by itself. */
  localQueue?: number;
  jobs: number;
}

const silent = { logger: undefined as never };
const { Logger } = await import("graphile-worker");
silent.logger = new Logger(() => () => {}) as never;

async function prepare({ url }: { url: string }) {
  await runMigrations({ connectionString: url, ...silent });
}

async function fill({ url, jobs }: { url: string; jobs: number }) {
  await once(url, (sql) =>
    sql.query(
      `select count(graphile_worker.add_job('noop', '{}'::json)) from generate_series(1, $1)`,
      [jobs],
    ),
  );
}

/** Milliseconds from the order until no job is left in the table. */
async function run({ url, concurrency, localQueue, jobs }: Run) {
  let seen = 0;
  let all: () => void = () => {};
  const ran = new Promise<void>((done) => {
    all = done;
  });
  const noop = async () => {
    seen += 1;
    if (seen === jobs) all();
  };
  const began = performance.now();
  const runner = await runWorker({
    ...silent,
    noHandleSignals: true,
    taskList: { noop },
    preset: {
      worker: {
        connectionString: url,
        concurrentJobs: concurrency,
        maxPoolSize: Math.min(concurrency, 40) + 2,
        ...(localQueue
          ? { localQueue: { size: localQueue }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
          : {}),
      },
    },
  });
  await ran;
  await once(url, async (sql) => {
    const left = "select count(*)::int as n from graphile_worker._private_jobs";
    while ((await sql.query(left)).rows[0].n > 0) await new Promise((next) => setTimeout(next, 2));
  });
  const ms = performance.now() - began;
  await runner.stop();
  return { ms, ran: seen };
}

async function once<T>(url: string, use: (sql: pg.Client) => Promise<T>): Promise<T> {
  const sql = new pg.Client({ connectionString: url });
  await sql.connect();
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

// Latency: a runner that stays, and another process that adds jobs.

let runner: Runner | undefined;
const starts: { id: number; at: number }[] = [];

async function listen({ url, concurrency }: { url: string; concurrency: number }) {
  const mark = async (payload: unknown) => {
    starts.push({ id: (payload as { id: number }).id, at: now() });
  };
  runner = await runWorker({
    ...silent,
    noHandleSignals: true,
    taskList: { mark },
    preset: {
      worker: { connectionString: url, concurrentJobs: concurrency, maxPoolSize: concurrency + 2 },
    },
  });
}

answer({ prepare, fill, run, listen, starts: () => starts.splice(0) }, () => runner?.stop());
