import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import type { Sql } from "../../src/db/client.ts";
import {
  checkMigrations,
  MigrationProblem,
  migrate,
  requireCurrent,
} from "../../src/db/migrate.ts";
import { emptyDatabase, type TestDatabase } from "../support/database.ts";
import { runScript } from "../support/script.ts";

const SUPPORT = fileURLToPath(new URL("../support/migrate_child.ts", import.meta.url));
const JOURNAL = new URL("../../drizzle/meta/_journal.json", import.meta.url);
const TAGS = JSON.parse(readFileSync(JOURNAL, "utf8")).entries.map((e: { tag: string }) => e.tag);

async function withSql<T>(url: string, use: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 2, onnotice: () => {} }) as unknown as Sql;
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

describe("migrations", () => {
  let database: TestDatabase;
  before(async () => {
    database = await emptyDatabase();
  });
  after(() => database.drop());

  test("an empty database is behind, and says which migrations it lacks", async () => {
    await withSql(database.url, async (sql) => {
      assert.deepEqual(await checkMigrations(sql), { state: "behind", pending: TAGS });
      await assert.rejects(requireCurrent(sql), (error: unknown) => {
        assert.ok(error instanceof MigrationProblem);
        assert.match(error.message, /lacks 0000_init.*signalbox migrate/);
        return true;
      });
    });
  });

  test("servers that come at once apply each migration once", { timeout: 60_000 }, async () => {
    const scripts = Array.from({ length: 3 }, () => runScript(SUPPORT, [database.url]));
    const own = [migrate(database.url), migrate(database.url)];
    const applied = [
      ...(await Promise.all(own)),
      ...(await Promise.all(scripts.map((s) => s.line("applied ")))).map((s) => JSON.parse(s)),
    ];
    assert.deepEqual(applied.flat(), TAGS, "one of them did it, the others found it done");
    await withSql(database.url, async (sql) => {
      assert.deepEqual(await checkMigrations(sql), { state: "current" });
      await requireCurrent(sql);
      const orgs = await sql`select name from org`;
      assert.deepEqual([...orgs], [{ name: "default" }]);
    });
  });

  test("a migration that is cut off leaves nothing, and the next one does it", async () => {
    const cut = await emptyDatabase();
    try {
      await withSql(cut.url, async (sql) => {
        // In the way of the last statement: everything before it has run by then.
        await sql`create table workflow_job_job (n int)`;
        await assert.rejects(migrate(cut.url), /already exists/);
        const [row] =
          await sql`select count(*)::int as n from pg_tables where schemaname = 'public'`;
        assert.equal(row!.n, 1);
        await sql`drop table workflow_job_job`;
      });
      assert.deepEqual(await migrate(cut.url), TAGS);
    } finally {
      await cut.drop();
    }
  });

  test("a database that is ahead is refused by check, start and migrate alike", async () => {
    const ahead = await emptyDatabase();
    try {
      await migrate(ahead.url);
      await withSql(ahead.url, async (sql) => {
        await sql`insert into drizzle.__drizzle_migrations (hash, created_at)
                  values ('made by a later version', 4102444800000)`;
        const check = await checkMigrations(sql);
        assert.equal(check.state, "ahead");
        await assert.rejects(requireCurrent(sql), MigrationProblem);
        await assert.rejects(migrate(ahead.url), (error: unknown) => {
          assert.ok(error instanceof MigrationProblem);
          assert.match(error.message, /has a migration that this version .* does not know/);
          return true;
        });
      });
    } finally {
      await ahead.drop();
    }
  });
});
