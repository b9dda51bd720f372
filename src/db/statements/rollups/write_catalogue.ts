/** The catalogue of metrics as a table, for people who query rollups by hand. */
import { CATALOGUE } from "../../../core/metrics/catalogue.ts";
import type { Sql } from "../../client.ts";

export async function writeCatalogue(sql: Sql): Promise<void> {
  const rows = CATALOGUE.map(({ id, key, kind, unit }) => ({ id, key, kind, unit }));
  await sql.unsafe(
    `insert into metric (id, key, kind, unit)
     select id, key, kind, unit from json_to_recordset($1::text::json)
       as t(id smallint, key text, kind text, unit text)
     on conflict (id) do update set key = excluded.key, kind = excluded.kind, unit = excluded.unit
     where (metric.key, metric.kind, metric.unit)
       is distinct from (excluded.key, excluded.kind, excluded.unit)`,
    [JSON.stringify(rows)],
  );
}
