/** The work of `signalbox migrate`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import type { Sql } from "../db/client.ts";
import { RECORD_FILE } from "../db/embedded/record.ts";
import { startEmbedded } from "../db/embedded.ts";
import { checkMigrations, migrate } from "../db/migrate.ts";
import { reachDatabase } from "../db/unusable.ts";
import type { MigrateFlags } from "./commands/migrate.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT } from "./errors.ts";
import { count } from "./print/text.ts";
import { readSettings } from "./serving.ts";

export async function runMigrations(context: Context, flags: MigrateFlags): Promise<void> {
  const config = readSettings(context);
  if (config.databaseUrl !== undefined) return bringUp(context, config.databaseUrl, flags);
  if (flags.check && !existsSync(join(config.dataDir, RECORD_FILE))) {
    throw new CliError(
      `There is no database in ${config.dataDir} yet: \`signalbox up\` makes one.`,
    );
  }
  const log = { info: () => {}, warn: (text: string) => context.err.line(text) };
  const embedded = await startEmbedded({ dataDir: config.dataDir, log });
  try {
    await bringUp(context, embedded.url, flags);
  } finally {
    await embedded.stop();
  }
}

async function bringUp(context: Context, url: string, flags: MigrateFlags): Promise<void> {
  if (flags.check) return check(context, url);
  const applied = await reachDatabase(() => migrate(url));
  if (applied.length === 0) return context.out.line("The database is up to date.");
  context.out.line(`Applied ${count(applied.length, "migration")}: ${applied.join(", ")}.`);
}

async function check(context: Context, url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    const found = await reachDatabase(() => checkMigrations(sql as unknown as Sql));
    if (found.state === "current") return context.out.line("The database is up to date.");
    if (found.state === "ahead") throw new CliError(found.problem);
    context.out.line(`The database lacks ${found.pending.join(", ")}: run \`signalbox migrate\`.`);
    context.exitCode = EXIT.failed;
  } finally {
    await sql.end({ timeout: 2 });
  }
}
