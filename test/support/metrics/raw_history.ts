/** A made-up history in raw rows, with chance that a seed repeats: what rollups are computed from. */
import type postgres from "postgres";
import { v7 as uuidv7 } from "uuid";
import { RULES, RULES_VERSION } from "../../../src/core/scoring/score.ts";
import type { Sql } from "../../../src/db/client.ts";
import { ensurePartitionsFor, PARTITIONED_TABLES } from "../../../src/db/partitions.ts";
import { Dice } from "../dice.ts";

export interface Place {
  org: number;
  queue: number;
  name: number;
}

/** Organizations, queues and names that exist: ids as the database gave them. */
export async function makePlaces(sql: postgres.Sql): Promise<Place[]> {
  const places: Place[] = [];
  for (const org of ["default", "acme"]) {
    await sql`insert into org (name) values (${org}) on conflict do nothing`;
    const [{ id } = { id: 0 }] = await sql<
      { id: number }[]
    >`select id from org where name = ${org}`;
    for (const queue of ["default", "night"]) {
      await sql`insert into queue (org_id, name) values (${id}, ${queue}) on conflict do nothing`;
    }
    for (const name of ["build", "test", "rare"]) {
      await sql`
        insert into job_name (org_id, name, counted) values (${id}, ${name}, ${name !== "rare"})`;
    }
    const queues = await sql<{ id: number }[]>`select id from queue where org_id = ${id}`;
    const names = await sql<{ id: number }[]>`select id from job_name where org_id = ${id}`;
    for (const queue of queues) {
      for (const name of names) places.push({ org: id, queue: queue.id, name: name.id });
    }
  }
  return places;
}

/** Of two attempts in three: without chance of their own, so that a seed stays what it was. */
function itemsAt(ms: number): object {
  if (ms % 3 === 0) return { items_success: null, items_failed: null, items_skipped: null };
  return { items_success: ms % 97, items_failed: ms % 5, items_skipped: ms % 2 };
}

const WORKERS = [11, 12, 13];
const DAY = 86_400_000;

/** `n` jobs whose lives begin in [from, to), epoch milliseconds, in one transaction. */
export async function writeHistory(
  sql: postgres.Sql,
  places: readonly Place[],
  { n, from, to, seed }: { n: number; from: number; to: number; seed: number },
): Promise<void> {
  const dice = new Dice(seed);
  const days: number[] = [];
  for (let day = from; day < to + 2 * DAY; day += DAY) days.push(day);
  for (const table of PARTITIONED_TABLES)
    await ensurePartitionsFor(sql as unknown as Sql, table, days);
  const events: object[] = [];
  const attempts: object[] = [];
  const decisions: object[] = [];
  for (let i = 0; i < n; i += 1) {
    const at = from + dice.between(0, to - from);
    oneLife(dice, dice.pick(places), at, { events, attempts, decisions });
  }
  await sql.begin(async (tx) => {
    await tx`insert into phase_event ${tx(events as never)}`;
    if (attempts.length > 0) await tx`insert into dispatched_job ${tx(attempts as never)}`;
    if (decisions.length > 0) await tx`insert into decision ${tx(decisions as never)}`;
  });
}

interface Into {
  events: object[];
  attempts: object[];
  decisions: object[];
}

function oneLife(dice: Dice, place: Place, at: number, into: Into): void {
  const job = uuidv7({ msecs: at });
  const where = { org_id: place.org, queue_id: place.queue, name_id: place.name, job_id: job };
  const event = (ms: number, from: string, state: string, more: object = {}) =>
    into.events.push({
      ...{ at: new Date(ms), ...where, attempt: 0, from_state: from, state },
      ...{ outcome: null, worker_id: null, since: null, ...more },
    });
  event(at, "created", "queued");
  if (dice.chance(0.05)) return void event(at + 5, "queued", "dependency_failed");
  if (dice.chance(0.05)) return void event(at + 9, "queued", "cancelled");
  const ready = at + dice.between(0, 20_000);
  event(ready, "queued", "ready", { since: new Date(at) });
  if (dice.chance(0.1)) return;
  const dispatched = ready + dice.between(0, 90_000);
  const worker = dice.pick(WORKERS);
  event(dispatched, "ready", "dispatched", { worker_id: worker, since: new Date(ready) });
  if (dice.chance(0.1)) return;
  const started = dispatched + dice.between(0, 300);
  event(started, "dispatched", "running", { worker_id: worker, since: new Date(dispatched) });
  if (dice.chance(0.1)) event(started + 1, "running", "running", { worker_id: worker });
  const run = Math.round(Math.exp(dice.between(0, 16_000) / 1_000)) / 10;
  const end = dice.pick(["succeeded", "succeeded", "succeeded", "failed", "retried", "lost"]);
  const ended = started + Math.round(run);
  const state = end === "retried" ? "queued" : end === "lost" ? "ready" : end;
  const outcome = end === "retried" ? "failed" : end;
  event(ended, "running", state, { worker_id: worker, outcome });
  const beat = uuidv7({ msecs: dispatched });
  const times = { queued_at: at, eligible_at: at, ready_at: ready, dispatched_at: dispatched };
  into.attempts.push({
    ...where,
    ...Object.fromEntries(Object.entries(times).map(([key, ms]) => [key, new Date(ms)])),
    ...{
      attempt: 1,
      worker_id: worker,
      session_id: 1,
      token: uuidv7(),
      outcome,
      state_after: state,
    },
    ...{ started_at: new Date(started), ended_at: new Date(ended), run_ms: run },
    ...itemsAt(started),
    ...{ peak_ram_mb: dice.chance(0.8) ? dice.between(0, 9_000) : null },
    ...{ cpu_ms: dice.chance(0.5) ? dice.between(0, 100_000) : null },
    ...{
      disk_read_bytes: dice.chance(0.5) ? dice.between(0, 1e9) : null,
      disk_write_bytes: dice.between(0, 1e6),
    },
    ...{ network_mbps: null, score: dice.between(0, 100) - 50, beat, beat_place: 1 },
  });
  const each = RULES.length;
  into.decisions.push({
    ...{ beat, rules_version: RULES_VERSION, terms_each: each, jobs: [job] },
    terms: Array.from({ length: each }, () => dice.between(0, 60) - 30),
    ...{ candidates: [0, 0, 0], candidate_scores: [0, 0, 0], others: [], considered: [1] },
    ...{ contexts: [], worker_context: [0], job_context: [0], instance_context: [0] },
  });
}
