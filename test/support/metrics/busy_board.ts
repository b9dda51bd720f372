/** A board at work: jobs of every state in two organizations, workers of both and of all, and who looks. */
import { type Browsing, somebody } from "../accounts/people.ts";
import { HandWorker, V1 } from "../api_box.ts";
import { type BoardBox, boardBox } from "../board_box.ts";

export interface Looker {
  who: string;
  get(path: string): Promise<Response>;
  /** Organizations whose rows they see. */
  orgs: number[];
}

export interface BusyBoard extends BoardBox {
  /** A superuser, and an operator of acme. */
  lookers: Looker[];
  operator: Browsing;
  acme: number;
}

interface Amounts {
  running: number;
  dispatched: number;
  ready: number;
  deferred: number;
  succeeded: number;
  failed: number;
}

const AMOUNTS: Record<string, Amounts> = {
  default: { running: 4, dispatched: 3, ready: 5, deferred: 2, succeeded: 6, failed: 3 },
  acme: { running: 2, dispatched: 1, ready: 3, deferred: 4, succeeded: 12, failed: 5 },
};

/** Leases outlive the test: nothing changes by itself. */
const STILL = { leaseSeconds: 3_600, rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 };

export async function busyBoard(): Promise<BusyBoard> {
  const box = await boardBox({ engine: STILL });
  const sql = box.database.intake;
  await sql`insert into org (name) values ('acme')`;
  await box.directory.refresh();
  await HandWorker.connect(box.engine, { name: "for-all", pool: "shared", concurrency: 7 }, null);
  for (const org of Object.keys(AMOUNTS)) await setToWork(box, org);
  const acme = box.directory.byName("acme")!.id;
  const operator = await somebody(box, { roles: { [acme]: "operator" } });
  const orgs = [acme, box.directory.byName("default")!.id];
  return {
    ...{ ...box, operator, acme },
    lookers: [
      { who: "a superuser", get: (path) => box.get(path), orgs },
      { who: "a member", get: operator.get, orgs: [acme] },
    ],
  };
}

async function setToWork(box: BoardBox, org: string): Promise<void> {
  const amounts = AMOUNTS[org]!;
  const connect = (name: string, concurrency: number) =>
    HandWorker.connect(
      box.engine,
      { name: `${org}-${name}`, pool: `${org}-${name}`, concurrency },
      org,
    );
  const submit = async (n: number, pool: string, more: object = {}): Promise<string[]> => {
    const job = { name: "build", payload: { command: ["true"] }, ...more };
    const jobs = Array.from({ length: n }, () => ({ ...job, requirements: { pool } }));
    return (await box.call("POST", `${V1}/orgs/${org}/jobs/bulk`, { jobs })).json.ids;
  };
  const one = await connect("one", 40);
  const run = async (ids: string[]) => {
    for (const id of ids) one.start(await one.take(id));
    for (const id of ids) await box.reaches(id, "running");
  };
  await run(await submit(amounts.running, `${org}-one`, { name: "test" }));
  for (const outcome of ["succeeded", "failed"] as const) {
    const ids = await submit(amounts[outcome], `${org}-one`, { queue: "night" });
    await run(ids);
    for (const id of ids) one.end(await one.take(id), { outcome });
    for (const id of ids) await box.reaches(id, outcome);
  }
  for (const id of await submit(amounts.dispatched, `${org}-one`)) await one.take(id);
  await submit(amounts.ready, `${org}-nowhere`, { queue: "halted" });
  await box.call("POST", `${V1}/orgs/${org}/queues/halted/pause`, {});
  await submit(amounts.deferred, `${org}-one`, { run_at: "2999-01-01T00:00:00Z" });
  const tired = await connect("tired", 5);
  tired.session.handle({ type: "draining" });
  const away = await connect("away", 3);
  const [held] = await submit(1, `${org}-away`);
  away.start(await away.take(held!));
  await box.reaches(held!, "running");
  away.leave();
}

/** How many jobs are in each state, by the last thing that happened to each. */
export async function statesOf(
  box: Pick<BoardBox, "database">,
  orgs: readonly number[],
  where = "true",
): Promise<Record<string, number>> {
  const rows = await box.database.reads.unsafe(
    `select state, count(*)::int as n from (
       select distinct on (e.job_id) e.state, e.org_id, q.name as queue, n.name from phase_event e
         join queue q on q.id = e.queue_id join job_name n on n.id = e.name_id
       order by e.job_id, e.id desc) e
     where org_id = any($1) and ${where} group by 1`,
    [orgs] as never[],
  );
  const none = { running: 0, dispatched: 0, ready: 0, queued: 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ state, n }) => [state, n])) };
}

/** Workers with an open connection, and their slots; of these organizations and, if asked, of all. */
export async function fleetOf(
  box: Pick<BoardBox, "database">,
  orgs: readonly number[],
  { shared }: { shared: boolean },
) {
  const [row] = await box.database.reads.unsafe(
    `select count(*) filter (where dropped_at is null)::int as workers,
       sum(concurrency) filter (where dropped_at is null)::int as slots,
       count(*) filter (where draining)::int as draining,
       count(*) filter (where dropped_at is not null)::int as away
     from worker_connection where ended_at is null and (org_id = any($1) or (org_id is null and $2))`,
    [orgs, shared] as never[],
  );
  return row as unknown as Record<"workers" | "slots" | "draining" | "away", number>;
}
