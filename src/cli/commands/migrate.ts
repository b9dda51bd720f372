/** `signalbox migrate`: brings the database up to this version, or tells whether it is. */
import { Command } from "commander";
import type { Context } from "../context.ts";

export interface MigrateFlags {
  check?: boolean;
}

export function migrateCommand(context: Context): Command {
  return new Command("migrate")
    .summary("apply or check the database's migrations")
    .description(
      "Applies what the database lacks. Servers do so at their start; run this where they may not, or before an upgrade.",
    )
    .option("--check", "change nothing; exit 1 where something is missing")
    .action(async (flags: MigrateFlags) => {
      const { runMigrations } = await import("../migrating.ts");
      await runMigrations(context, flags);
    })
    .addHelpText(
      "after",
      `
Examples:
  DATABASE_URL=postgres://signalbox:secret@db/signalbox signalbox migrate
  signalbox migrate --check`,
    );
}
