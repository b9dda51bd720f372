/**
 * Milliseconds from adding a job in one process to the start of its handler in another, at an even
 * 200 jobs a second; beside graphile-worker in the same run, in turns. Ours go over HTTP through
 * server and WebSocket, graphile-worker's through the database alone.
 */
import process from "node:process";
import type { Added } from "./contestants/enqueuer.ts";
import { type Child, startChild } from "./support/child.ts";
import { startCluster } from "./support/cluster.ts";
import { median, percentile, ratio, table } from "./support/figures.ts";
import { number } from "./support/options.ts";
import { startSignalbox } from "./support/signalbox.ts";

const RATE = number("rate", 200);
const SECONDS = number("seconds", 10);
const ROUNDS = number("rounds", 3);
const SLOTS = number("slots", 24);

interface Contestant {
  name: string;
  add(jobs: number): Promise<Added[]>;
  starts(): Promise<Added[]>;
}

const cluster = await startCluster();
const stops: (() => Promise<void>)[] = [() => cluster.stop()];
try {
  await main();
} finally {
  for (const stop of stops.reverse()) await stop().catch((error) => console.error(String(error)));
}
process.exit(0);

async function main(): Promise<void> {
  const enqueuer = startChild("contestants/enqueuer.ts");
  stops.push(() => enqueuer.stop());
  const contestants = [await signalbox(enqueuer), await graphileWorker(enqueuer)];
  const waits = new Map<Contestant, number[][]>(contestants.map((one) => [one, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const one of round % 2 === 0 ? contestants : [...contestants].reverse()) {
      const ms = await measure(one, round === 0 ? RATE * 2 : RATE * SECONDS);
      if (round > 0) waits.get(one)!.push(ms);
      console.log(`  ${round === 0 ? "warm-up" : `round ${round}`}: ${one.name}: ${told(ms)}`);
    }
  }
  report(contestants, waits);
}

async function signalbox(enqueuer: Child): Promise<Contestant> {
  const box = await startSignalbox(cluster);
  stops.push(() => box.stop());
  const worker = startChild("contestants/signalbox.ts");
  stops.push(() => worker.stop());
  await worker.ask("listen", { url: box.url, token: box.workerToken, slots: SLOTS });
  const place = { url: box.url, token: box.adminToken };
  return {
    name: "Signalbox",
    add: (jobs) => enqueuer.ask("signalbox", { ...place, rate: RATE, jobs }),
    starts: () => worker.ask("starts"),
  };
}

async function graphileWorker(enqueuer: Child): Promise<Contestant> {
  const url = await cluster.createDatabase("graphile_worker_bench");
  const worker = startChild("contestants/graphile_worker.ts", { runtime: "node" });
  stops.push(() => worker.stop());
  await worker.ask("prepare", { url });
  await worker.ask("listen", { url, concurrency: SLOTS });
  return {
    name: "graphile-worker",
    add: (jobs) => enqueuer.ask("graphileWorker", { url, rate: RATE, jobs }),
    starts: () => worker.ask("starts"),
  };
}

/** Each job's wait, milliseconds. Throws where a job does not start within half a minute. */
async function measure(contestant: Contestant, jobs: number): Promise<number[]> {
  const added = await contestant.add(jobs);
  const starts = new Map<number, number>();
  const deadline = performance.now() + 30_000;
  while (starts.size < jobs) {
    for (const { id, at } of await contestant.starts()) starts.set(id, at);
    if (performance.now() > deadline) {
      throw new Error(`${contestant.name}: ${starts.size} of ${jobs} jobs have started`);
    }
    await new Promise((next) => setTimeout(next, 20));
  }
  return added.map(({ id, at }) => starts.get(id)! - at);
}

function report(contestants: Contestant[], waits: Map<Contestant, number[][]>): void {
  const figures = contestants.map((one) => {
    const rounds = waits.get(one)!;
    const at = (share: number) => median(rounds.map((ms) => percentile(ms, share)));
    return { name: one.name, p50: at(0.5), p99: at(0.99) };
  });
  const ours = figures[0]!;
  const rows = figures.map(({ name, p50, p99 }) => [
    name,
    `${p50.toFixed(2)} ms`,
    ratio(ours.p50, p50),
    `${p99.toFixed(2)} ms`,
    ratio(ours.p99, p99),
  ]);
  const head = ["", "p50", "ours ÷ theirs", "p99", "ours ÷ theirs"];
  console.log(
    `\n${RATE} jobs/s, medians of ${ROUNDS} rounds of ${SECONDS} s\n${table(head, rows)}`,
  );
}

function told(ms: number[]): string {
  const [p50, p99, most] = [percentile(ms, 0.5), percentile(ms, 0.99), Math.max(...ms)];
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, most ${most.toFixed(1)} ms`;
}
