/** Rollups of everything that was committed before the call. */
import type postgres from "postgres";
import { eventually } from "../eventually.ts";

/**
 * A pass leaves out what is younger than the oldest transaction of the whole cluster, which other tests
 * may keep open for a while: passes until it has seen all.
 */
export async function computed(
  rollups: { pass(): Promise<void> },
  sql: Pick<postgres.Sql, "unsafe">,
): Promise<void> {
  const [written] = await sql.unsafe("select pg_snapshot_xmax(pg_current_snapshot())::text as xid");
  await eventually(
    async () => {
      await rollups.pass();
      const [row] = await sql.unsafe(
        `select (select horizon from rollup_progress where id = 1) >= '${written!.xid}'::xid8
           and not exists (select from rollup_dirty) as done`,
      );
      return row?.done === true;
    },
    "rollups are computed",
    { deadlineMs: 60_000 },
  );
}
