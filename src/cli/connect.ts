/** The client of a command: its flags, and what it finds where flags say nothing. */
import type { Command } from "commander";
import { Client } from "../sdk/client.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./errors.ts";
import { findSettings, type SettingFlags } from "./settings.ts";

/** A server that restarts is back within this time; a wrong address should not take longer to say. */
const PATIENCE_MS = 5_000;
/** An outage is told once, and again where it lasts. */
const TELL_EVERY_MS = 60_000;

export interface ClientFlags extends SettingFlags {
  json?: boolean;
}

/** Adds the flags that every command with a server has. */
export function withClientFlags(command: Command): Command {
  return command
    .optionsGroup("Server:")
    .option("--url <url>", "address of the server (SIGNALBOX_URL)")
    .option("--org <name>", "organization (SIGNALBOX_ORG)")
    .option("--token-file <file>", "file with the token (SIGNALBOX_TOKEN)");
}

/** Throws UsageError where nothing says which server, or who asks. */
export function connect(context: Context, flags: ClientFlags): Client {
  const settings = findSettings(flags, context.env, context.cwd);
  let toldAt = Number.NEGATIVE_INFINITY;
  try {
    return new Client({
      url: settings.url,
      token: settings.token,
      org: settings.org,
      patienceMs: PATIENCE_MS,
      onRetry: (error) => {
        // Where nobody waits before a screen, the error at the end of our patience says it all.
        if (!context.following && !context.err.terminal) return;
        if (performance.now() - toldAt < TELL_EVERY_MS) return;
        toldAt = performance.now();
        context.notice(`${error.message} Trying again…`);
      },
    });
  } catch (error) {
    if (error instanceof TypeError) {
      throw new UsageError(`${settings.source.url}: ${error.message}`, error);
    }
    throw error;
  }
}

/** JSON as `--json` prints it: indented, so that people can read it too. */
export function printJson(context: Context, value: unknown): void {
  context.out.line(JSON.stringify(value, null, 2));
}
