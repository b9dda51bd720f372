import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { is } from "drizzle-orm";
import { getTableConfig, type PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Sql } from "../../src/db/client.ts";
import { PARTITIONED_TABLES } from "../../src/db/partitions.ts";
import { openUpkeep } from "../../src/db/upkeep.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

const FOLDER = new URL("../../src/db/schema/", import.meta.url);

async function declaredTables(): Promise<PgTable[]> {
  const tables: PgTable[] = [];
  for (const file of await readdir(FOLDER, { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    const module = (await import(new URL(file, FOLDER).href)) as Record<string, unknown>;
    for (const value of Object.values(module)) if (is(value, PgTable)) tables.push(value);
  }
  return tables;
}

/** PostgreSQL's own name of a type that drizzle writes its way. */
function typeName(column: PgColumn): string {
  return column.getSQLType().replace(/^timestamp$/, "timestamp without time zone");
}

describe("the migrated database", () => {
  let database: TestDatabase;
  let sql: Sql;
  let tables: PgTable[];
  before(async () => {
    database = await testDatabase();
    sql = openUpkeep(database.url);
    tables = await declaredTables();
  });
  after(async () => {
    await sql.end({ timeout: 1 });
    await database.drop();
  });

  test("has every table that the schema declares, with its columns, and no other", async () => {
    const found = await sql<{ name: string }[]>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`;
    const declared = tables.map((table) => getTableConfig(table).name).sort();
    assert.deepEqual(found.map((row) => row.name).sort(), declared);
    for (const table of tables) {
      const { name, columns } = getTableConfig(table);
      const rows = await sql<{ column: string }[]>`
        select attname || ' ' || format_type(atttypid, atttypmod)
               || case when attnotnull then ' not null' else '' end
               || case when atthasdef then ' default' else '' end
               || case when attidentity <> '' then ' identity' else '' end as column
        from pg_attribute where attrelid = ${name}::regclass and attnum > 0 and not attisdropped
        order by attnum`;
      const wanted = columns.map((column) =>
        [
          `${column.name} ${typeName(column)}`,
          column.notNull ? " not null" : "",
          column.hasDefault && !column.generatedIdentity ? " default" : "",
          column.generatedIdentity ? " identity" : "",
        ].join(""),
      );
      assert.deepEqual(
        rows.map((row) => row.column),
        wanted,
        name,
      );
    }
  });

  test("has every index and key that the schema declares, and no other", async () => {
    for (const table of tables) {
      const config = getTableConfig(table);
      const rows = await sql<{ name: string }[]>`
        select indexrelid::regclass::text as name from pg_index
        where indrelid = ${config.name}::regclass and not indisprimary`;
      const unique = config.columns.filter((c) => c.isUnique).map((c) => c.uniqueName);
      const wanted = [
        ...config.indexes.map((index) => index.config.name),
        ...config.uniqueConstraints.map((constraint) => constraint.getName()),
        ...unique,
      ];
      assert.deepEqual(rows.map((row) => row.name).sort(), wanted.sort(), config.name);
      const [key] = await sql<{ columns: string[] | null }[]>`
        select (select array_agg(a.attname::text order by k.n) from unnest(i.indkey) with ordinality k(att, n)
                join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.att) as columns
        from pg_index i where indrelid = ${config.name}::regclass and indisprimary`;
      const primary = config.primaryKeys[0]?.columns.map((column) => column.name);
      const single = config.columns.filter((column) => column.primary).map((c) => c.name);
      assert.deepEqual(key?.columns ?? [], primary ?? single, `${config.name} primary key`);
    }
  });

  test("partitions the tables that only grow, and no other", async () => {
    const rows = await sql<{ name: string }[]>`
      select partrelid::regclass::text as name from pg_partitioned_table`;
    assert.deepEqual(rows.map((row) => row.name).sort(), [...PARTITIONED_TABLES].sort());
  });

  test("has the storage that the hot tables need, and the first rows", async () => {
    const [live] = await sql`select reloptions from pg_class where relname = 'live_job'`;
    assert.ok(live!.reloptions.includes("fillfactor=30"));
    assert.ok(live!.reloptions.includes("autovacuum_vacuum_cost_delay=0"));
    const rows =
      await sql`select o.name as org, q.name as queue from org o join queue q on q.org_id = o.id`;
    assert.deepEqual([...rows], [{ org: "default", queue: "default" }]);
    const [owner] = await sql`select pg_get_serial_sequence('phase_event', 'id') as sequence`;
    assert.equal(owner!.sequence, "public.phase_event_id");
  });
});
