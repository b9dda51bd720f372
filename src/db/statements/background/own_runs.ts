/** Signalbox's own runs as they are written, which no rollup has to tell of first. */
import type { Sql, Transaction } from "../../client.ts";

export interface OwnRuns {
  firstAt: number;
  lastAt: number;
  lastSuccessAt: number | null;
}

const MS = (what: string) => `round(extract(epoch from ${what}) * 1000)::float8`;

/** What each task ran since a moment, by the id of its name; epoch milliseconds. */
export async function readOwnRuns(
  sql: Sql | Transaction,
  since: number,
  until: number,
): Promise<Map<number, OwnRuns>> {
  const rows = await sql.unsafe(
    `select name_id, ${MS("min(ended_at)")} as "firstAt", ${MS("max(ended_at)")} as "lastAt",
       ${MS("max(ended_at) filter (where outcome = 'succeeded')")} as "lastSuccessAt"
     from maintenance_run
     where ended_at > to_timestamp($1::float8 / 1000) and ended_at <= to_timestamp($2::float8 / 1000)
     group by name_id`,
    [since, until],
    { prepare: true },
  );
  return new Map(
    rows.map(({ name_id, ...runs }) => [name_id as number, runs as unknown as OwnRuns]),
  );
}
