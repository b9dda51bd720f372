/** The workers of the past, with a session of each for every day. */
import type { Sql } from "../../db/client.ts";
import { writePastWorker } from "../../db/statements/past/write_fleet.ts";
import type { WorkerRole } from "../cast/worker_role.ts";
import { PastWorker } from "./past_worker.ts";

const DAY_MS = 86_400_000;

export async function hirePastWorkers(
  sql: Sql,
  roles: readonly WorkerRole[],
  span: {
    orgs: ReadonlyMap<string, number>;
    windows: readonly { from: number; to: number }[];
    until: number;
  },
): Promise<PastWorker[]> {
  const sessions = daysOf(span.windows[0]?.from ?? span.until, span.until);
  const days = sessions.map(([from]) => Math.floor(from / DAY_MS));
  const workers: PastWorker[] = [];
  for (const role of roles) {
    const org = role.org === null ? null : span.orgs.get(role.org)!;
    const { id: uid, name, pool, slots } = role;
    const row = { uid, org, name, pool, slots, facts: factsOf(role), sessions };
    const ids = await sql.begin((tx) => writePastWorker(tx, row));
    const byDay = new Map(days.map((day, at) => [day, ids.sessions[at]!]));
    // An attempt that outlasts the end of all is not written, but asks for its session.
    byDay.set(days.at(-1)! + 1, ids.sessions.at(-1)!);
    workers.push(new PastWorker(role, { worker: ids.worker, org, sessions: byDay }));
  }
  return workers;
}

function daysOf(from: number, until: number): [from: number, to: number][] {
  const days: [number, number][] = [];
  for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < until; day += DAY_MS) {
    days.push([Math.max(from, day), Math.min(until, day + DAY_MS)]);
  }
  return days;
}

function factsOf({ name, pool, system, features, handlers, cpus, ramMb }: WorkerRole): object {
  const kinds = handlers.length > 0 ? ["exec", "handler"] : ["exec"];
  const resources = { cpus, ram_mb: ramMb };
  return {
    version: "demo",
    host: `${name}.demo`,
    pool,
    system,
    features,
    kinds,
    handlers,
    resources,
  };
}
