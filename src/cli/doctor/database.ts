/** What the doctor sees of the database: reach, version, migrations, partitions. */
import { join } from "node:path";
import postgres from "postgres";
import type { Config } from "../../config.ts";
import type { Retention } from "../../core/retention.ts";
import type { Sql } from "../../db/client.ts";
import { databaseUrl } from "../../db/embedded/cluster.ts";
import { readRecord } from "../../db/embedded/record.ts";
import { checkMigrations } from "../../db/migrate.ts";
import { tomorrowReady } from "../../db/partitions.ts";
import { mendOf } from "../../db/unusable.ts";
import { codeOf } from "../settings.ts";
import { type Finding, fail, ok, skip } from "./check.ts";
import { checkRetention } from "./retention.ts";

const VERSION_LEAST = 15;

/** With `serverUp` an embedded database has to answer; else it may rest. */
export async function checkDatabase(config: Config, serverUp: boolean): Promise<Finding[]> {
  const embedded = config.databaseUrl === undefined;
  const url = config.databaseUrl ?? (await embeddedUrl(config.dataDir));
  if (url === undefined) {
    return [skip("database", "The first start makes one in the data folder.")];
  }
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 }) as unknown as Sql;
  try {
    return await examine(sql, config.retention);
  } catch (error) {
    if (embedded && !serverUp) {
      const where = join(config.dataDir, "database.json");
      return [skip("database", `The one that ${where} names is not running; a start runs it.`)];
    }
    return [fail("database", `It cannot be reached (${codeOf(error)}).`, mendFor(error, embedded))];
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function embeddedUrl(dataDir: string): Promise<string | undefined> {
  const record = await readRecord(dataDir);
  return record?.made ? databaseUrl(record) : undefined;
}

async function examine(sql: Sql, kept: Retention): Promise<Finding[]> {
  const [row] = await sql<{ text: string; num: number }[]>`
    select current_setting('server_version') as text,
      current_setting('server_version_num')::int as num`;
  const { text, num } = row as { text: string; num: number };
  if (Math.floor(num / 10_000) < VERSION_LEAST) {
    const mend = `Point DATABASE_URL at PostgreSQL ${VERSION_LEAST} or later.`;
    return [fail("database", `PostgreSQL ${text} is too old.`, mend)];
  }
  const findings = [ok("database", `PostgreSQL ${text} answers.`), await migrations(sql)];
  // Without the tables there is nothing to be partitioned.
  if (findings[1]?.verdict === "ok") {
    findings.push(await partitions(sql), await checkRetention(sql, kept));
  }
  return findings;
}

async function migrations(sql: Sql): Promise<Finding> {
  const found = await checkMigrations(sql);
  if (found.state === "current") return ok("migrations", "The tables are those of this version.");
  if (found.state === "ahead") {
    return fail("migrations", found.problem, "Do not run this version on this database.");
  }
  const words = `The database lacks ${found.pending.join(", ")}.`;
  return fail("migrations", words, "Run `signalbox migrate`, or start the server, which does it.");
}

async function partitions(sql: Sql): Promise<Finding> {
  const [row] = await sql<{ now: number }[]>`
    select (extract(epoch from now()) * 1000)::float8 as now`;
  if (await tomorrowReady(sql, row?.now as number)) {
    return ok("partitions", "There is room for today and tomorrow.");
  }
  const mend = "Start the server: it makes them at its start and every hour.";
  return fail("partitions", "Partitions for today or tomorrow are missing.", mend);
}

function mendFor(error: unknown, embedded: boolean): string {
  if (embedded) return "Look in server.log beside the cluster, then start the server again.";
  const mend = mendOf(error);
  return `${mend.charAt(0).toUpperCase()}${mend.slice(1)}.`;
}
