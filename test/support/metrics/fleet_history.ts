/** A made-up fleet whose workers were looked at for a day: samples, and the minutes marked to be summed. */
import type postgres from "postgres";
import type { Sql } from "../../../src/db/client.ts";
import { ensurePartitionsFor } from "../../../src/db/partitions.ts";
import type { HandWorker } from "../api_box.ts";
import { Dice } from "../dice.ts";

const DAY = 86_400_000;

export interface FleetHistory {
  workers: readonly HandWorker[];
  from: number;
  to: number;
  everyMs: number;
  seed: number;
}

/** Every worker misses some looks, and some figures of its host. */
export async function writeFleetHistory(sql: postgres.Sql, history: FleetHistory): Promise<void> {
  const { workers, from, to, everyMs, seed } = history;
  const dice = new Dice(seed);
  for (const table of ["worker_sample", "instance_sample"] as const)
    await ensurePartitionsFor(sql as unknown as Sql, table, [from - DAY, from, to]);
  const known = await sql<{ id: number; org_id: number | null }[]>`
    select id, org_id from worker where uid = any(${workers.map(({ id }) => id)}::uuid[]) order by id`;
  const looks: object[] = [];
  const samples: object[] = [];
  for (let ms = from; ms < to; ms += everyMs) {
    const at = new Date(ms);
    looks.push({ at, org_id: 0, pending: 0, active: 0, slots_entitled: 0 });
    for (const { id, org_id } of known) {
      if (dice.chance(0.3)) continue;
      const offered = dice.between(1, 9);
      samples.push({
        ...{ at, worker_id: id, org_id, slots_offered: offered },
        ...{ slots_used: dice.between(0, offered + 1), draining: dice.chance(0.2) },
        ...{ runs_exec: dice.chance(0.8), has_handlers: dice.chance(0.4) },
        cpu_pct: dice.chance(0.9) ? dice.between(0, 100) : null,
        ...{ ram_free_mb: dice.between(0, 64_000), ram_total_mb: 64_000 },
        disk_mbps: dice.chance(0.9) ? dice.between(0, 400) : null,
        network_mbps: dice.between(0, 1_000),
      });
    }
  }
  await sql`insert into instance_sample ${sql(looks as never)}`;
  for (let at = 0; at < samples.length; at += 2_000)
    await sql`insert into worker_sample ${sql(samples.slice(at, at + 2_000) as never)}`;
  await sql`
    insert into rollup_dirty (granularity, bucket_start)
    select distinct 'minute', date_trunc('minute', at, 'UTC') from instance_sample on conflict do nothing`;
}
