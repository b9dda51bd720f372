/**
 * Whether depth costs anything: starts a second with 10,000 jobs pending, with 1,000,000, with
 * 1,000,000 of 10,000 names, and with 900,000 that no worker fits ahead of 100,000 that one does;
 * and the server's memory meanwhile. All in one run and in turns. With `--floor` it exits with 1
 * where a rate falls below 0.9 of the shallow one, or a server needs 400 MB.
 *
 * Nothing but depth differs between these: in each the jobs have stood in the database for a while.
 * Beside them, 10,000 jobs that were submitted just now: the server has not forgotten their payloads
 * yet and need not read them, so they start faster however long the line is.
 */
import process from "node:process";
import { startChild } from "./support/child.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { peakResidentMb } from "./support/cpu.ts";
import { median, pairedRatio, rate, table } from "./support/figures.ts";
import { multiply } from "./support/multiply.ts";
import { flag, number } from "./support/options.ts";
import { type Signalbox, startSignalbox } from "./support/signalbox.ts";

const DEEP = number("jobs", 1_000_000);
const SHALLOW = number("shallow", 10_000);
const NAMES = number("names", 10_000);
const ROUNDS = number("rounds", 5);
const SLOTS = number("slots", 1_000);
/** Counted starts a round: few enough that the shallow line does not run dry. */
const STARTS = Math.round(SHALLOW * 0.8);
/** Behind those that nobody fits. */
const FITTING = DEEP * 0.1;
const UNFIT = DEEP - FITTING;
const FLOOR = 0.9;
const MEMORY_MB = 400;

type Admin = ReturnType<Cluster["admin"]>;

interface Line {
  label: string;
  database: string;
  depth: number;
  names: number;
  /** Puts the pending jobs there before the first round. */
  fill(box: Signalbox): Promise<void>;
  /** Jobs that were started in a round are submitted again, rather than copied in the database. */
  isFresh?: true;
}

const LINES: Line[] = [
  {
    label: `${rate(SHALLOW)} pending`,
    database: "shallow",
    depth: SHALLOW,
    names: 1,
    fill: (box) => submitDeep(box, SHALLOW, 1),
  },
  {
    label: `${rate(DEEP)} pending`,
    database: "deep",
    depth: DEEP,
    names: 1,
    fill: (box) => submitDeep(box, DEEP, 1),
  },
  {
    label: `${rate(DEEP)} of ${rate(NAMES)} names`,
    database: "names",
    depth: DEEP,
    names: NAMES,
    fill: (box) => submitDeep(box, DEEP, NAMES),
  },
  {
    label: `${rate(FITTING)} behind ${rate(UNFIT)} that nobody fits`,
    database: "unfit",
    depth: DEEP,
    names: 1,
    fill: async (box) => {
      await submitDeep(box, UNFIT, 1, { features: ["missing"] });
      await submitDeep(box, FITTING, 1);
    },
  },
  {
    label: `${rate(SHALLOW)} submitted just now`,
    database: "fresh",
    depth: SHALLOW,
    names: 1,
    fill: (box) => submit(box, SHALLOW, 1),
    isFresh: true,
  },
];

const admins = new Map<Signalbox, Admin>();
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
  const boxes = new Map<Line, Signalbox>();
  const rates = new Map<Line, number[]>(LINES.map((line) => [line, []]));
  for (const line of LINES) {
    const box = await startSignalbox(cluster, line.database);
    stops.push(() => box.stop());
    boxes.set(line, box);
    await line.fill(box);
    console.log(`  filled: ${line.label}`);
  }
  await cluster.admin().unsafe("checkpoint");
  for (let round = 0; round <= ROUNDS; round++) {
    for (const line of round % 2 === 0 ? LINES : [...LINES].reverse()) {
      const box = boxes.get(line)!;
      await topUp(box, line);
      const ms = await measure(box, line.names);
      if (round > 0) rates.get(line)!.push(STARTS / (ms / 1000));
      const what = round === 0 ? "warm-up" : `round ${round}`;
      console.log(`  ${what}: ${line.label}: ${rate(STARTS / (ms / 1000))} starts/s`);
    }
  }
  return report(boxes, rates);
}

/** Milliseconds from the first start to the last of `STARTS`, in a worker of its own. */
async function measure(box: Signalbox, names: number): Promise<number> {
  const worker = startChild("contestants/signalbox.ts");
  const { url, workerToken: token } = box;
  const order = { url, token, slots: SLOTS, jobs: STARTS, names };
  const { ms } = await worker.ask<{ ms: number }>("dispatch", order);
  await worker.stop();
  return ms;
}

async function submit(box: Signalbox, jobs: number, names: number, requirements = {}) {
  for (let at = 0; at < jobs; at += 10_000) {
    const length = Math.min(10_000, jobs - at);
    const some = Array.from({ length }, (_, n) => ({
      name: `noop-${(at + n) % names}`,
      kind: "handler" as const,
      payload: {},
      requirements,
    }));
    await box.client.submitMany(some);
  }
}

/** One of each name through the API, the others as copies of these. */
async function submitDeep(box: Signalbox, jobs: number, names: number, requirements = {}) {
  const sql = adminOf(box);
  const known = await shapes(sql);
  await submit(box, names, names, requirements);
  const added = (await shapes(sql)).filter((id) => !known.includes(id));
  await multiply(sql, added, jobs - names);
}

/** One connection a database, however many rounds ask for it. */
function adminOf(box: Signalbox): Admin {
  const sql = admins.get(box) ?? cluster.admin(new URL(box.database).pathname.slice(1));
  admins.set(box, sql);
  return sql;
}

/** Of these requirements, as JSON, or all. */
async function shapes(sql: Admin, requirements?: string): Promise<number[]> {
  const rows = await sql`select id, requirements::text as text from shape order by id`;
  return rows
    .filter(({ text }) => requirements === undefined || text === requirements)
    .map(({ id }) => id);
}

/** To its depth again, with the names that its worker runs. */
async function topUp(box: Signalbox, { depth, isFresh }: Line): Promise<void> {
  const sql = adminOf(box);
  const [row] = await sql`
    select sum(n)::int as n from (
      select n from counter where queue_id <> 0 union all select n from counter_delta where queue_id <> 0) c`;
  const missing = Math.max(0, depth - row!.n);
  if (isFresh) await submit(box, missing, 1);
  else await multiply(sql, await shapes(sql, "{}"), missing);
}

function report(boxes: Map<Line, Signalbox>, rates: Map<Line, number[]>): boolean {
  const shallow = rates.get(LINES[0]!)!;
  let kept = true;
  const rows = LINES.map((line) => {
    const own = rates.get(line)!;
    const share = pairedRatio(own, shallow);
    const mb = peakResidentMb(boxes.get(line)!.server.pid);
    kept &&= (share >= FLOOR || line.isFresh === true) && mb < MEMORY_MB;
    return [line.label, rate(median(own)), share.toFixed(2), `${Math.round(mb)} MB`];
  });
  const head = ["", "starts/s", "÷ shallow", "server, peak"];
  console.log(`\nMedians of ${ROUNDS} rounds of ${rate(STARTS)} starts\n${table(head, rows)}`);
  console.log(`\nFloor ${FLOOR} and ${MEMORY_MB} MB: ${kept ? "kept" : "not kept"}`);
  return kept;
}
