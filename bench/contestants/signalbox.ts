/** An app with the SDK's worker in it: a real process on a real WebSocket. */
import postgres from "postgres";
import { Worker } from "../../src/sdk/worker.ts";
import { answer } from "../support/answer.ts";
import { now } from "../support/clock.ts";

interface Run {
  url: string;
  token: string;
  slots: number;
  jobs: number;
}

/** Runs `jobs` jobs. Milliseconds from the order until no job is left in the table. */
async function run({ url, token, slots, jobs, database }: Run & { database: string }) {
  let seen = 0;
  let all: () => void = () => {};
  const ran = new Promise<void>((done) => {
    all = done;
  });
  const noop = () => {
    seen += 1;
    if (seen === jobs) all();
  };
  const nap = () => new Promise((done) => setTimeout(done, 5)).then(noop);
  const began = performance.now();
  const worker = new Worker({ url, token, concurrency: slots, handlers: { noop, nap } });
  await worker.start();
  await ran;
  const sql = postgres(database, { max: 1 });
  const left = () => sql`select exists (select from live_job) as any`;
  while ((await left())[0]!.any) await new Promise((next) => setTimeout(next, 2));
  const ms = performance.now() - began;
  await sql.end();
  await worker.stop();
  return { ms, ran: seen };
}

interface Dispatch extends Run {
  /** Handlers noop-0, noop-1 and so on. */
  names: number;
}

/** Milliseconds from the first start to the `jobs`-th. What runs beyond these is finished too. */
async function dispatch({ url, token, slots, jobs, names }: Dispatch) {
  let seen = 0;
  let began = 0;
  let ended: (at: number) => void = () => {};
  const last = new Promise<number>((done) => {
    ended = done;
  });
  const noop = () => {
    seen += 1;
    if (seen === 1) began = performance.now();
    if (seen === jobs) ended(performance.now());
  };
  const handlers = Object.fromEntries(Array.from({ length: names }, (_, n) => [`noop-${n}`, noop]));
  const worker = new Worker({ url, token, concurrency: slots, handlers });
  await worker.start();
  const ms = (await last) - began;
  await worker.stop();
  return { ms };
}

// Latency: a worker that stays, and another process that submits.

let listener: Worker | undefined;
const starts: { id: number; at: number }[] = [];

async function listen({ url, token, slots }: Omit<Run, "jobs">) {
  const mark = ({ payload }: { payload: unknown }) => {
    starts.push({ id: (payload as { id: number }).id, at: now() });
  };
  listener = new Worker({ url, token, concurrency: slots, handlers: { mark } });
  await listener.start();
}

/** Naps as long as its payload says; the flaky one then fails, until its moment has come. */
async function serve({ url, token, slots }: Omit<Run, "jobs">) {
  const nap = ({ payload }: { payload: unknown }) =>
    new Promise<void>((done) => setTimeout(done, (payload as { ms: number }).ms));
  const flaky = async (job: { payload: unknown }) => {
    await nap(job);
    if (now() < (job.payload as { until: number }).until) throw new Error("not yet");
  };
  listener = new Worker({ url, token, concurrency: slots, handlers: { nap, flaky } });
  await listener.start();
}

answer({ run, dispatch, listen, serve, starts: () => starts.splice(0) }, () => listener?.stop());
