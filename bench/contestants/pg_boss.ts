/** pg-boss with its own driver (pg): batches fetched without a pause while they come full. */
import pg from "pg";
import { PgBoss } from "pg-boss";
import { answer } from "../support/answer.ts";

interface Run {
  url: string;
  batch: number;
  concurrency: number;
  jobs: number;
}

const QUEUE = "noop";

async function open(url: string): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, schedule: false });
  boss.on("error", (error) => console.error(String(error)));
  await boss.start();
  return boss;
}

async function prepare({ url }: { url: string }) {
  const boss = await open(url);
  await boss.createQueue(QUEUE);
  await boss.stop({ graceful: false });
}

async function fill({ url, jobs }: { url: string; jobs: number }) {
  const boss = await open(url);
  for (let at = 0; at < jobs; at += 5_000) {
    const some = Array.from({ length: Math.min(5_000, jobs - at) }, () => ({ data: {} }));
    await boss.insert(QUEUE, some);
  }
  await boss.stop({ graceful: false });
}

/** Milliseconds from the order until every job is complete in the table. */
async function run({ url, batch, concurrency, jobs }: Run) {
  const boss = await open(url);
  let seen = 0;
  let all: () => void = () => {};
  const ran = new Promise<void>((done) => {
    all = done;
  });
  const sql = new pg.Client({ connectionString: url });
  await sql.connect();
  const began = performance.now();
  await boss.work(
    QUEUE,
    {
      batchSize: batch,
      localConcurrency: concurrency,
      pollingIntervalSeconds: 0.5,
      burstWhenBatchFull: true,
    },
    async (some) => {
      seen += some.length;
      if (seen >= jobs) all();
    },
  );
  await ran;
  const left = `select 1 from pgboss.job where name = '${QUEUE}' and state < 'completed' limit 1`;
  while ((await sql.query(left)).rows.length > 0) await new Promise((next) => setTimeout(next, 2));
  const ms = performance.now() - began;
  await sql.query(`delete from pgboss.job where name = '${QUEUE}'`);
  await sql.end();
  await boss.stop({ graceful: false });
  return { ms, ran: seen };
}

answer({ prepare, fill, run });
