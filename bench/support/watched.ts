/** The installation that viewers watch: three organizations, a worker for all, jobs by the clock. */
import { Client } from "../../src/sdk/client.ts";
import { startChild } from "./child.ts";
import type { Cluster } from "./cluster.ts";
import { isSampled } from "./sampled.ts";
import { startSignalbox } from "./signalbox.ts";
import type { ViewerKind } from "./viewer.ts";

const NAME = "signalbox_bench";
const SLOTS = 500;
const NAP_MS = 200;
const QUEUES = ["builds", "mail", "reports"];
/** Half of all jobs, three tenths, two tenths. */
const ORGS = "default,north,default,south,default,north,default,north,default,south".split(",");
const REST_EVERY = 1_000;
/** Jobs whose pages are open: each runs for a while, fails, waits, and is tried again. */
const FLAKY = 8;
const FLAKY_MS = 4_000;
const PATIENCE_MS = 60_000;

export interface Watched {
  url: string;
  name: string;
  adminToken: string;
  orgs: string[];
  serverPid: number;
  /** How often each statement of the server's database was run, since ever. */
  queries(): Promise<Map<string, number>>;
  /** As people are; the fewer, the fewer of each kind. */
  kinds(viewers: number, flaky: string[]): ViewerKind[];
  /** Jobs that fail again and again, until the run is nearly over. */
  submitFlaky(seconds: number): Promise<string[]>;
  /** `batch` jobs a request. Jobs that rest, and how late the last answer was. */
  submit(pace: {
    rate: number;
    seconds: number;
    batch: number;
  }): Promise<{ resting: string[]; lateMs: number }>;
  /** Resolves when only `resting` jobs are left. */
  ended(resting: number): Promise<void>;
  cancel(ids: string[]): Promise<void>;
  /** When which phase was committed, by job and state. */
  commits(flaky: string[]): Promise<Record<string, number[]>>;
  stop(): Promise<void>;
}

export async function startWatched(cluster: Cluster): Promise<Watched> {
  const box = await startSignalbox(cluster, NAME);
  const { url, adminToken, client } = box;
  const sql = cluster.admin(NAME);
  const counts = cluster.admin();
  await counts`create extension pg_stat_statements`;
  const clients = await openOrgs(url, adminToken);
  const worker = startChild("contestants/signalbox.ts");
  const { secret } = await client.tokens.createForWorkers({ name: "bench" }, { shared: true });
  await worker.ask("serve", { url, token: secret, slots: SLOTS });
  const enqueuer = startChild("contestants/enqueuer.ts");
  const tokens = new Map<string, string>([["", adminToken]]);
  for (const { org, tokens: own } of clients) {
    tokens.set(org, (await own.create({ name: "bench", role: "viewer" })).secret!);
  }
  return {
    ...{ url, adminToken, name: NAME, serverPid: box.server.pid, orgs: [...new Set(ORGS)] },
    queries: async () => {
      const rows = await counts`
        select queryid::text as id, sum(calls)::float8 as n from pg_stat_statements s
        join pg_database d on d.oid = s.dbid where d.datname = ${NAME} group by 1`;
      return new Map(rows.map(({ id, n }) => [id, n]));
    },
    kinds: (viewers, flaky) => kindsOf(tokens, viewers, flaky),
    submitFlaky: (seconds) => submitFlaky(clients, seconds),
    submit: async ({ rate, seconds, batch }) => {
      const jobs = rate * seconds;
      const place = { url, token: adminToken, orgs: ORGS, queues: QUEUES };
      const began = performance.now();
      const order = { ...place, rate, jobs, batch, napMs: NAP_MS, restEvery: REST_EVERY };
      const { resting } = await enqueuer.ask<{ resting: string[] }>("several", order);
      return { resting, lateMs: Math.max(0, performance.now() - began - seconds * 1000) };
    },
    ended: async (resting) => {
      const deadline = performance.now() + PATIENCE_MS;
      const left = () => sql`select count(*)::int as n from live_job`;
      for (;;) {
        const { n } = (await left())[0]!;
        if (n === resting) return;
        if (performance.now() > deadline) throw new Error(`${n} jobs live, not ${resting}`);
        await new Promise((next) => setTimeout(next, 100));
      }
    },
    cancel: async (ids) => {
      for (const id of ids) await client.cancel(id);
    },
    commits: (flaky) => readCommits(sql, flaky),
    stop: async () => {
      await enqueuer.stop();
      await worker.stop();
      await box.stop();
    },
  };
}

async function openOrgs(url: string, token: string): Promise<Client[]> {
  for (const name of new Set(ORGS)) {
    if (name === "default") continue;
    const headers = { authorization: `Bearer ${token}` };
    const body = new URLSearchParams({ name, title: "" });
    const made = await fetch(`${url}/board/orgs`, { method: "POST", headers, body });
    if (!made.ok) throw new Error(`no organization was made: ${made.status}`);
  }
  return [...new Set(ORGS)].map((org) => new Client({ url, token, org }));
}

/** Of 200: 140 on the live page, 40 on pages of jobs, 20 programs. */
function kindsOf(tokens: Map<string, string>, viewers: number, flaky: string[]): ViewerKind[] {
  const [live, json] = ["/board/stream?panels=live,counts", "/api/v1/board/live?topics=jobs"];
  const of = (shows: ViewerKind["shows"], path: string, org = ""): ViewerKind => {
    return { shows, path, org, token: tokens.get(org)!, queue: "", job: "" };
  };
  const mixture = [
    ...repeat(14, () => of("table", live)),
    ...repeat(4, () => ({ ...of("table", `${live}&queue=mail`), queue: "mail" })),
    ...["default", "north", "south"].flatMap((org) => repeat(3, () => of("table", live, org))),
    of("table", live, "north"),
    ...flaky.map((job) => ({ ...of("job", `/board/stream?panels=job&job=${job}`), job })),
    ...repeat(2, () => of("phases", json)),
    ...["north", "south"].map((org) => of("phases", json, org)),
  ];
  return Array.from({ length: viewers }, (_, n) => mixture[n % mixture.length]!);
}

function repeat<T>(times: number, make: () => T): T[] {
  return Array.from({ length: times }, make);
}

async function submitFlaky(clients: Client[], seconds: number): Promise<string[]> {
  const until = Date.now() + seconds * 800;
  const ids: string[] = [];
  for (let n = 0; n < FLAKY; n++) {
    const job = await clients[n % clients.length]!.submit({
      name: "flaky",
      kind: "handler",
      payload: { ms: FLAKY_MS, until },
      max_attempts: 1_000,
      backoff: { base_seconds: 4, factor: 1, max_seconds: 4 },
    });
    ids.push(job.id);
  }
  return ids;
}

async function readCommits(
  sql: ReturnType<Cluster["admin"]>,
  flaky: string[],
): Promise<Record<string, number[]>> {
  const rows = await sql`
    select job_id as job, state::text as state,
      (extract(epoch from pg_xact_commit_timestamp(xid::xid)) * 1000)::float8 as at
    from phase_event order by at`;
  const commits: Record<string, number[]> = {};
  for (const { job, state, at } of rows) {
    if (!isSampled(job) && !flaky.includes(job)) continue;
    const key = `${job} ${state}`;
    commits[key] ??= [];
    commits[key].push(at);
  }
  return commits;
}
