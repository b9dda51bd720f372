/** A database with a month behind it, some work that waits, and every rollup computed. */
import type postgres from "postgres";
import { Organizations } from "../../src/accounts/organizations.ts";
import { connect } from "../../src/db/client.ts";
import { migrate } from "../../src/db/migrate.ts";
import { ORGANIZATIONS } from "../../src/demo/cast/organizations.ts";
import { usualJobsPerSecond } from "../../src/demo/past/arrivals.ts";
import { writeHistory } from "../../src/demo/past/write_history.ts";
import type { Signalbox } from "../support/signalbox.ts";

const DAY_MS = 86_400_000;
const DAYS = 30;
const SEED = 1;
const MINUTE_MS = 60_000;
const AUTHOR = { name: "bench", user: null, token: null, address: null };

/** For a database that nobody has used; does nothing to one that has its month. */
export async function writeMonth(url: string, jobs: number): Promise<void> {
  await migrate(url);
  const database = await connect(url);
  try {
    const [used] = await database.reads`select from job limit 1`;
    if (used) return;
    const now = Date.now();
    const owner = new Organizations({ sql: database.intake, announcements: { tell: () => {} } });
    const orgs = new Map<string, number>();
    for (const { name, title, isPublic } of ORGANIZATIONS) {
      orgs.set(name, await owner.create(name, { title, isPublic }, AUTHOR));
    }
    const seconds = (DAYS * DAY_MS) / 1_000;
    const pace = jobs / (seconds * usualJobsPerSecond(ORGANIZATIONS, SEED));
    const windows = [{ from: now - DAYS * DAY_MS, to: now - MINUTE_MS, pace }];
    const options = { seed: SEED, orgs, windows, until: now, sampleEveryMs: MINUTE_MS };
    const written = await writeHistory(url, options);
    console.log(`${written.jobs} jobs and ${written.attempts} attempts in 30 days`);
  } finally {
    await database.close();
  }
}

/** What waits now: a line that the live page, the overview and a job's place in line have to show. */
export async function addPending(box: Signalbox, sql: postgres.Sql, jobs: number): Promise<void> {
  const [row] = await sql`select count(*)::int as waiting from live_job`;
  if (row!.waiting >= jobs) return;
  const some = Array.from({ length: jobs }, (_, at) => ({
    name: `nightly-${at % 40}`,
    queue: `line-${at % 12}`,
    kind: "handler" as const,
    payload: { at },
    tags: { round: String(at % 7) },
  }));
  for (let at = 0; at < jobs; at += 10_000)
    await box.client.submitMany(some.slice(at, at + 10_000));
}

/** Until the aggregator has seen all that is committed now. Milliseconds that it took. */
export async function computed(sql: postgres.Sql): Promise<number> {
  const from = performance.now();
  const [seen] = await sql`select pg_snapshot_xmax(pg_current_snapshot())::text as xid`;
  for (;;) {
    const [row] = await sql`select
      (select horizon from rollup_progress where id = 1) >= ${seen!.xid}::xid8
        and not exists (select from rollup_dirty) as done,
      (select count(*)::int from rollup_dirty) as dirty`;
    if (row!.done === true) return performance.now() - from;
    await new Promise((resume) => setTimeout(resume, 1_000));
  }
}
