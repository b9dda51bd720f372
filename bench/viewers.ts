/**
 * What 200 people who watch cost a server that runs 1,000 jobs a second, and what they see.
 *
 * The same run with nobody and with 200 live viewers, in turns: one server, one worker, one process that
 * submits by the clock, 20 jobs a request (`--batch`). The viewers are real connections from another process, as people
 * are: most on the live page (of all organizations, of one, of one queue), some on pages of single jobs
 * that are tried again and again, some programs on the JSON stream. In the midst of each run all are cut
 * by force, and come back about a second later with `Last-Event-ID`.
 *
 * - Queries: every statement that PostgreSQL counts for the server's database (pg_stat_statements,
 *   transaction commands too), while jobs are submitted; the ratio of both. A machine with too little to do
 *   everything at once writes larger beats, which are fewer: so also, as a share of all without viewers, the
 *   statements that are run for viewers alone.
 * - Latency: from the commit of a transition, as PostgreSQL has noted it (track_commit_timestamp), to the
 *   moment when a viewer has read the event, or the row or page that shows it; one clock, for all is on one
 *   machine. Of one job in 64, for every viewer, unless the commit came while that viewer was cut off.
 * - Nothing missed: each viewer keeps a picture made of events alone. When the run is over it must be what
 *   the API answers: exactly the jobs that live, the job's state, the state of every job of the run; the
 *   programs must have been told every phase, once, and never to begin anew.
 *
 * With `--floor` it exits with 1 where queries grow by more than 5 %, the 95th percentile is above 300 ms, a
 * viewer missed something, or the server did not keep up.
 */
import process from "node:process";
import type { Seen } from "./contestants/viewers.ts";
import { startChild } from "./support/child.ts";
import { COUNTED, startCluster } from "./support/cluster.ts";
import { cpuMs, cpuMsWithChildren, peakResidentMb } from "./support/cpu.ts";
import { median, pairedRatio, percentile, rate, table } from "./support/figures.ts";
import { flag, number } from "./support/options.ts";
import { printStatements, watchStatements } from "./support/statements.ts";
import { startWatched, type Watched } from "./support/watched.ts";

const RATE = number("rate", 1_000);
/** A workflow's worth. With one, requests take more of two cores than the jobs and all who watch them. */
const BATCH = number("batch", 20);
const SECONDS = number("seconds", 20);
const ROUNDS = number("rounds", 3);
const VIEWERS = number("viewers", 200);
const QUERIES_MAX = 1.05;
const P95_MS = 300;
const OWN_BELOW = 0.1;
/** The hub keeps what nobody watches for 15 s. */
const FORGET_MS = 17_000;

interface Run {
  /** A second, of each statement. */
  statements: Map<string, number>;
  queries: number;
  /** Share of the asked rate that was answered in time. */
  pace: number;
  /** Of a core. */
  server: number;
  database: number;
  viewers: number;
  waits: Record<Seen["shows"], number[]>;
  seen: Seen[];
  wrong: string[];
}

const cluster = await startCluster({ settings: { ...COUNTED, track_commit_timestamp: "on" } });
const stops: (() => Promise<void>)[] = [() => cluster.stop()];
let kept = false;
try {
  kept = await main();
} finally {
  for (const stop of stops.reverse()) await stop().catch((error) => console.error(String(error)));
}
process.exit(kept || !flag("floor") ? 0 : 1);

async function main(): Promise<boolean> {
  const box = await startWatched(cluster);
  stops.push(() => box.stop());
  const runs: Record<"without" | "with", Run[]> = { without: [], with: [] };
  // The first warms everything up.
  await measure(box, 0, Math.min(SECONDS, 5));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const which of ["without", "with"] as const) {
      if (which === "without") await pause(FORGET_MS);
      const isLast = which === "with" && round === ROUNDS;
      if (isLast) await watchStatements(cluster, box.name);
      const run = await measure(box, which === "with" ? VIEWERS : 0, SECONDS);
      if (isLast) await printStatements(cluster, box.name, RATE * SECONDS);
      runs[which].push(run);
      console.log(`  round ${round}, ${which} viewers: ${told(run)}`);
    }
  }
  return report(box, runs.without, runs.with);
}

async function measure(box: Watched, viewers: number, seconds: number): Promise<Run> {
  const flaky = await box.submitFlaky(seconds);
  // Later than theirs: nobody watches yet, and who is told of every phase was not told of these.
  const since = new Date().toISOString();
  const child = startChild("contestants/viewers.ts");
  try {
    await child.ask("open", { url: box.url, kinds: box.kinds(viewers, flaky) });
    const before = {
      queries: await box.queries(),
      cpu: cpus(box, child.pid),
      at: performance.now(),
    };
    const submitting = box.submit({ rate: RATE, seconds, batch: BATCH });
    await pause((seconds * 1000) / 2);
    await child.ask("cut");
    const { resting, lateMs } = await submitting;
    const ms = performance.now() - before.at;
    const statements = await box.queries();
    for (const [id, n] of statements) {
      statements.set(id, (n - (before.queries.get(id) ?? 0)) / (ms / 1000));
    }
    const cpu = cpus(box, child.pid);
    await box.ended(resting.length);
    const compared = { url: box.url, token: box.adminToken, orgs: box.orgs, since };
    const wrong = await child.ask<string[]>("compare", compared);
    const waits = await child.ask<Run["waits"]>("waits", { commits: await box.commits(flaky) });
    const seen = await child.ask<Seen[]>("close");
    await box.cancel(resting);
    return {
      statements,
      queries: sum(statements.values()),
      pace: (seconds * 1000) / (seconds * 1000 + lateMs),
      server: (cpu.server - before.cpu.server) / ms,
      database: (cpu.database - before.cpu.database) / ms,
      viewers: (cpu.viewers - before.cpu.viewers) / ms,
      ...{ waits, seen, wrong },
    };
  } finally {
    await child.stop();
  }
}

function cpus(box: Watched, viewers: number) {
  const database = cpuMsWithChildren(cluster.pid);
  return { server: cpuMs(box.serverPid), database, viewers: cpuMs(viewers) };
}

function told(run: Run): string {
  const { server, database, viewers, wrong } = run;
  const of = (cores: number) => cores.toFixed(2);
  const cores = `cores: server ${of(server)}, database ${of(database)}, viewers ${of(viewers)}`;
  const all = Object.values(run.waits).flat();
  const line = `${rate(run.queries)} queries/s, pace ${run.pace.toFixed(2)}, ${cores}`;
  if (all.length === 0) return line;
  const missed = wrong.map((what) => `\n    ${what}`).join("");
  return `${line}, p95 ${Math.round(percentile(all, 0.95))} ms, ${wrong.length} wrong${missed}`;
}

function report(box: Watched, without: Run[], watched: Run[]): boolean {
  const labels = { table: "live page", job: "page of a job", phases: "stream for programs" };
  const rows = (["table", "job", "phases"] as const).map((shows) => {
    const waits = watched.flatMap((run) => run.waits[shows]);
    const seen = watched.flatMap((run) => run.seen.filter((one) => one.shows === shows));
    return [
      `${labels[shows]} (${seen.length / watched.length})`,
      ...[0.5, 0.95, 0.99].map((share) => `${Math.round(percentile(waits, share))} ms`),
      `${Math.round(median(seen.map((one) => one.awayMs)))} ms`,
      `${sum(seen.map((one) => one.resyncs))}`,
      `${Math.round(median(seen.map((one) => one.bytes / SECONDS / 1024)))} KiB/s`,
    ];
  });
  const head = ["", "p50", "p95", "p99", "away", "resyncs", "each reads"];
  const what = `${RATE} jobs/s, ${BATCH} a request, ${VIEWERS} viewers, ${ROUNDS} rounds`;
  console.log(`\n${what}\n${table(head, rows)}`);
  const queries = (runs: Run[]) => runs.map((run) => run.queries);
  const growth = pairedRatio(queries(watched), queries(without));
  const p95 = percentile(
    watched.flatMap((run) => Object.values(run.waits).flat()),
    0.95,
  );
  const wrong = sum(watched.map((run) => run.wrong.length));
  const pace = Math.min(...watched.map((run) => run.pace));
  const own = median(watched.map((run, at) => ownShare(run, without[at]!)));
  console.log(`
Queries a second, with ÷ without: ${growth.toFixed(3)} (at most ${QUERIES_MAX})
Asked for viewers alone: ${own.toFixed(3)} of all without (at most ${(QUERIES_MAX - 1).toFixed(2)})
Commit to receipt, p95: ${Math.round(p95)} ms (at most ${P95_MS})
Viewers that missed something: ${wrong}
Share of the rate that was kept: ${pace.toFixed(2)}
Server, most memory: ${Math.round(peakResidentMb(box.serverPid))} MB`);
  const isCheap = growth <= QUERIES_MAX && own <= QUERIES_MAX - 1;
  return isCheap && p95 <= P95_MS && wrong === 0 && pace > 0.97;
}

/** Statements that are hardly run without viewers. */
function ownShare(watched: Run, without: Run): number {
  const own = [...watched.statements].filter(
    ([id, n]) => (without.statements.get(id) ?? 0) < n * OWN_BELOW,
  );
  return sum(own.map(([, n]) => n)) / without.queries;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function pause(ms: number): Promise<void> {
  return new Promise((next) => setTimeout(next, ms));
}
