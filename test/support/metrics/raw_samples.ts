/** Looks at the fleet and the work, as servers write them, with chance that a seed repeats. */
import type postgres from "postgres";
import type { Sql } from "../../../src/db/client.ts";
import { ensurePartitionsFor } from "../../../src/db/partitions.ts";
import { Dice } from "../dice.ts";

const DAY = 86_400_000;

/** One look each `every` in [from, to): some organizations have work then, others have none and no row. */
export async function writeSamples(
  sql: postgres.Sql,
  orgs: readonly number[],
  { from, to, every, seed }: { from: number; to: number; every: number; seed: number },
): Promise<void> {
  const dice = new Dice(seed);
  const days: number[] = [];
  for (let day = from; day < to + DAY; day += DAY) days.push(day);
  await ensurePartitionsFor(sql as unknown as Sql, "instance_sample", days);
  const rows: object[] = [];
  for (let ms = from; ms < to; ms += every) {
    const at = new Date(ms);
    const working = orgs.filter(() => dice.chance(0.8));
    const work = working.map((org_id) => {
      return { org_id, pending: dice.between(0, 9), active: dice.between(0, 12) };
    });
    const sum = (key: "pending" | "active") => work.reduce((total, one) => total + one[key], 0);
    const active = sum("active");
    const share = working.length === 0 ? 0 : active / working.length;
    for (const one of work) rows.push({ at, ...one, slots_entitled: share });
    rows.push({ at, org_id: 0, pending: sum("pending"), active, slots_entitled: active });
  }
  await sql`insert into instance_sample ${sql(rows as never)}`;
}
