/**
 * Stop of a queue with 200,000 waiting jobs, while it is being worked on: how soon it is answered, whether
 * anything of it starts after the answer, how long its end takes in the background, and what another queue
 * starts a second meanwhile. With `--floor` it exits with 1 where the answer takes a second, a job starts
 * after it, or the other queue falls below 0.9 of what it starts beside a queue that only waits.
 */
import process from "node:process";
import { startChild } from "./support/child.ts";
import { startCluster } from "./support/cluster.ts";
import { median, pairedRatio, rate, table } from "./support/figures.ts";
import { multiply } from "./support/multiply.ts";
import { flag, number } from "./support/options.ts";
import { type Signalbox, startSignalbox } from "./support/signalbox.ts";

const JOBS = number("jobs", 200_000);
const ROUNDS = number("rounds", 12);
const SLOTS = number("slots", 1_000);
/** Of the queue that is stopped. */
const OTHER_SLOTS = 50;
/** Counted starts of the other queue, and what is submitted for them. */
const STARTS = number("starts", 16_000);
const SUBMITTED = STARTS * 1.25;
const FLOOR = 0.9;
const ANSWER_MS = 1_000;

interface Round {
  calm: number;
  stopping: number;
  answerMs: number;
  /** Of the stopped queue, started after the answer. */
  leaked: number;
}

const cluster = await startCluster();
const stops: (() => Promise<void>)[] = [() => cluster.stop()];
let kept = false;
try {
  kept = await main();
} finally {
  for (const stop of stops.reverse()) await stop().catch((error) => console.error(String(error)));
}
process.exit(kept || !flag("floor") ? 0 : 1);

async function main(): Promise<boolean> {
  const box = await startSignalbox(cluster, "stop");
  stops.push(() => box.stop());
  const sql = cluster.admin("stop");
  const other = startChild("contestants/signalbox.ts");
  stops.push(() => other.stop());
  await box.client.submit({ name: "mark", kind: "handler", queue: "doomed", payload: { id: 0 } });
  await box.client.pauseQueue("doomed");
  await other.ask("listen", { url: box.url, token: box.workerToken, slots: OTHER_SLOTS });
  await fill(sql);
  const rounds: Round[] = [];
  for (let n = 0; n <= ROUNDS; n++) {
    const round = await once(box, sql, n % 2 === 0);
    if (n > 0) rounds.push(round);
    const rates = `${rate(round.calm)} calm, ${rate(round.stopping)} starts/s while it stops`;
    const what = n === 0 ? "warm-up" : `round ${n}`;
    console.log(`  ${what}: ${rates}, answered in ${Math.round(round.answerMs)} ms`);
  }
  const { operation } = await stopDoomed(box);
  return report(rounds, await ended(sql, operation));
}

type Admin = ReturnType<typeof cluster.admin>;

/** In turns: the machine is another one from minute to minute. */
async function once(box: Signalbox, sql: Admin, isCalmFirst: boolean): Promise<Round> {
  const before = isCalmFirst ? await measure(box) : undefined;
  const stopped = await whileStopping(box, sql);
  return { calm: before ?? (await measure(box)), ...stopped };
}

/** Stopped while it is being worked on, and called off afterwards: what is left serves the next round. */
async function whileStopping(box: Signalbox, sql: Admin): Promise<Omit<Round, "calm">> {
  await box.client.resumeQueue("doomed");
  await begun(sql);
  const asked = performance.now();
  const { operation } = await stopDoomed(box);
  const answerMs = performance.now() - asked;
  const [clock] = await sql`select clock_timestamp()::text as at`;
  const stopping = await measure(box);
  const [leaked] = await sql`
    select count(*)::int as n from phase_event p join queue q on q.id = p.queue_id
    where q.name = 'doomed' and p.state = 'dispatched' and p.from_state = 'ready'
      and p.at > ${clock!.at}::text::timestamptz`;
  await box.client.pauseQueue("doomed");
  await box.client.undoOperation(operation);
  return { stopping, answerMs, leaked: leaked!.n };
}

/** One through the API, the others as copies of it: it has to be there and to wait. */
async function fill(sql: Admin): Promise<void> {
  const shapes = await sql`
    select s.id from shape s join queue q on q.id = s.queue_id where q.name = 'doomed'`;
  await multiply(
    sql,
    shapes.map(({ id }) => id as number),
    JOBS - 1,
  );
  await sql.unsafe("checkpoint");
}

/** Starts a second of another queue, by a worker of its own. */
async function measure({ client, url, workerToken: token }: Signalbox): Promise<number> {
  for (let at = 0; at < SUBMITTED; at += 10_000) {
    const length = Math.min(10_000, SUBMITTED - at);
    const job = { name: "noop-0", kind: "handler" as const, queue: "live", payload: {} };
    await client.submitMany(Array.from({ length }, () => job));
  }
  const worker = startChild("contestants/signalbox.ts");
  const order = { url, token, slots: SLOTS, jobs: STARTS, names: 1 };
  const { ms } = await worker.ask<{ ms: number }>("dispatch", order);
  await worker.stop();
  return STARTS / (ms / 1_000);
}

async function begun(sql: Admin): Promise<void> {
  for (;;) {
    const [row] = await sql`
      select exists (select from live_job l join queue q on q.id = l.queue_id
        where q.name = 'doomed' and l.session_id is not null) as any`;
    if (row!.any) return;
    await new Promise((next) => setTimeout(next, 5));
  }
}

async function stopDoomed({ url, adminToken }: Signalbox): Promise<{ operation: string }> {
  const response = await fetch(`${url}/api/v1/orgs/default/queues/doomed/stop`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ delay_seconds: 0, reason: "bench" }),
  });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as { operation: string };
}

async function ended(sql: Admin, operation: string): Promise<{ done: number; seconds: number }> {
  for (;;) {
    const [row] = await sql`
      select done::int, extract(epoch from finished_at - created_at)::float8 as seconds from operation
      where id = ${operation} and finished_at is not null`;
    if (row) return row as unknown as { done: number; seconds: number };
    await new Promise((next) => setTimeout(next, 100));
  }
}

function report(rounds: Round[], end: { done: number; seconds: number }): boolean {
  const calm = rounds.map((round) => round.calm);
  const stopping = rounds.map((round) => round.stopping);
  const share = pairedRatio(stopping, calm);
  const answerMs = Math.max(...rounds.map((round) => round.answerMs));
  const leaked = rounds.reduce((sum, round) => sum + round.leaked, 0);
  const rows = [
    ["beside a queue that waits", rate(median(calm)), "1.00"],
    ["while it is stopped", rate(median(stopping)), share.toFixed(2)],
  ];
  console.log(`\nStarts of another queue\n${table(["", "starts/s", "÷ calm"], rows)}`);
  console.log(`\nAnswered within ${Math.round(answerMs)} ms; ${leaked} started after that.`);
  console.log(`${rate(end.done)} jobs ended in ${end.seconds.toFixed(1)} s.`);
  const isKept = share >= FLOOR && answerMs < ANSWER_MS && leaked === 0;
  console.log(`\nFloor ${FLOOR}, ${ANSWER_MS} ms and none: ${isKept ? "kept" : "not kept"}`);
  return isKept;
}
