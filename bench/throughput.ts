/**
 * Jobs a second: no-op jobs, already enqueued, worked off by one worker process, each on record and
 * on disk; beside graphile-worker, pg-boss and BullMQ in the same run. `docs/benchmarks.md` says what
 * is compared. Exits with 1 where our history is not whole, and with `--floor` where we are too slow.
 */
import process from "node:process";
import { checkCounters, checkDispatches, checkDuration, checkHistory } from "./support/checks.ts";
import { hasNode, startChild } from "./support/child.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { type Contestant, measure, type Round } from "./support/contestant.ts";
import { median, pairedRatio, rate, table } from "./support/figures.ts";
import { flag, number } from "./support/options.ts";
import { best, bullmq, graphileWorker, pgBoss } from "./support/peers.ts";
import { startRedis } from "./support/redis.ts";
import { type Signalbox, startSignalbox, submitMany } from "./support/signalbox.ts";
import { printStatements, watchStatements } from "./support/statements.ts";

const JOBS = number("jobs", 20_000);
const ROUNDS = number("rounds", 5);
/** Of our worker. The others are tried with several local queues and concurrencies, and so are we. */
const SLOTS = flag("slots") ? [number("slots", 0)] : [2_000, 4_000, 8_000];
const FLOOR = 0.8;

const cluster = await startCluster();
const stops: (() => Promise<void>)[] = [() => cluster.stop()];
let failed = false;
try {
  failed = !(await main());
} finally {
  for (const stop of stops.reverse()) await stop().catch((error) => console.error(String(error)));
}
process.exit(failed ? 1 : 0);

/** Whether the floor was kept, where that was asked. */
async function main(): Promise<boolean> {
  const box = await startSignalbox(cluster);
  stops.push(() => box.stop());
  const ours = await tuned(signalbox(cluster, box));
  const contestants: Contestant[] = [ours];
  stops.push(() => ours.stop());
  if (!flag("alone")) contestants.push(...(await others()));
  const rounds = await race(contestants);
  await checkNap(box);
  return report(contestants, rounds);
}

async function others(): Promise<Contestant[]> {
  console.log("Trying what suits the others best:");
  const found: Contestant[] = [];
  const add = async (peer: Parameters<typeof best>[0]) => {
    const one = await best(peer, Math.round(JOBS / 2));
    stops.push(() => one.stop());
    found.push(one);
  };
  if (hasNode()) await add(await graphileWorker(cluster, "node"));
  await add(await graphileWorker(cluster, "bun"));
  if (!flag("graphile")) {
    await add(await pgBoss(cluster));
    const redis = await startRedis(`${cluster.folder}/redis`);
    if (redis) {
      stops.push(() => redis.stop());
      await add(bullmq(redis));
    } else console.log("  redis-server was not found: no BullMQ in this run");
  }
  return found;
}

interface Ours extends Contestant {
  slots: number;
}

/** With as many slots as suit it best, in two turns as the others; a first run warms it up. */
async function tuned(ours: Ours): Promise<Ours> {
  if (SLOTS.length === 1) return ours;
  console.log("Trying what suits us best:");
  const rates: { slots: number; rate: number }[] = [];
  const jobs = Math.round(JOBS / 2);
  for (const slots of [SLOTS[0]!, ...SLOTS, ...SLOTS]) {
    ours.slots = slots;
    await ours.fill(jobs);
    rates.push({ slots, rate: jobs / ((await ours.run(jobs)) / 1000) });
    await ours.check?.(jobs);
  }
  rates.shift();
  for (const { slots, rate: found } of rates) {
    console.log(`  Signalbox, ${slots} slots: ${Math.round(found)} jobs/s`);
  }
  ours.slots = rates.reduce((a, b) => (b.rate > a.rate ? b : a)).slots;
  ours.name = `Signalbox (${ours.slots} slots)`;
  return ours;
}

function signalbox(cluster: Cluster, box: Signalbox): Ours {
  const app = startChild("contestants/signalbox.ts");
  const sql = cluster.admin("signalbox_bench");
  let done = 0;
  return {
    name: "Signalbox",
    slots: SLOTS[0]!,
    fill: async (jobs) => void (await submitMany(box.client, jobs, "noop")),
    async run(jobs) {
      const { slots } = this;
      const { url, workerToken: token, database } = box;
      await watchStatements(cluster, "signalbox_bench");
      return (await app.ask<{ ms: number }>("run", { url, token, database, slots, jobs })).ms;
    },
    pids: () => [box.server.pid, app.pid],
    check: async (jobs) => {
      done += jobs;
      await printStatements(cluster, "signalbox_bench", jobs);
      await checkDispatches(sql, done);
      await checkHistory(sql, done);
      await checkCounters(sql);
    },
    stop: () => app.stop(),
  };
}

/** Rounds in turns, so that what else the machine does falls on all alike; the first is not counted. */
async function race(contestants: Contestant[]): Promise<Map<Contestant, Round[]>> {
  const admin = cluster.admin();
  const settle = async () => {
    await admin.unsafe("select 1");
  };
  const rounds = new Map<Contestant, Round[]>(contestants.map((c) => [c, []]));
  for (let at = 0; at <= ROUNDS; at++) {
    const order = at % 2 === 0 ? contestants : [...contestants].reverse();
    for (const one of order) {
      const round = await measure(one, { jobs: JOBS, database: cluster.pid, settle });
      if (at > 0) rounds.get(one)!.push(round);
      const what = at === 0 ? "warm-up" : `round ${at}`;
      const { ownUs, databaseUs } = round;
      const cpu = `${[...ownUs, databaseUs].map(Math.round).join(" + ")} µs`;
      console.log(`  ${what}: ${one.name}: ${rate(round.rate)} jobs/s, processor a job ${cpu}`);
    }
  }
  return rounds;
}

async function checkNap(box: Signalbox): Promise<void> {
  const jobs = 50;
  const app = startChild("contestants/signalbox.ts");
  const ids = await submitMany(box.client, jobs, "nap");
  const { url, workerToken: token, database } = box;
  await app.ask("run", { url, token, database, slots: jobs, jobs });
  await app.stop();
  await checkDuration(cluster.admin("signalbox_bench"), ids);
}

function report(contestants: Contestant[], rounds: Map<Contestant, Round[]>): boolean {
  const raced = contestants.map((one) => {
    const all = rounds.get(one)!;
    const cpus = all.map((round) => round.ownUs.reduce((sum, us) => sum + us, round.databaseUs));
    return { name: one.name, rates: all.map((r) => r.rate), cpus };
  });
  const ours = raced[0]!;
  const rows = raced.map((m) => [
    m.name,
    rate(median(m.rates)),
    pairedRatio(ours.rates, m.rates).toFixed(2),
    `${Math.round(median(m.cpus))} µs`,
    pairedRatio(m.cpus, ours.cpus).toFixed(2),
  ]);
  const head = ["", "jobs/s", "ours ÷ theirs", "processor a job", "theirs ÷ ours"];
  console.log(`\n${JOBS} jobs, medians of ${ROUNDS} rounds\n${table(head, rows)}`);
  // Each on the runtime that it is made for.
  const graphile = raced.find((m) => m.name.startsWith("graphile-worker on Node"));
  if (!graphile) return true;
  const kept = pairedRatio(ours.rates, graphile.rates) >= FLOOR;
  console.log(`\nFloor ${FLOOR} of graphile-worker on Node: ${kept ? "kept" : "not kept"}`);
  return kept || !flag("floor");
}
