/** What `up` and `serve` have in common: settings, flags, and stopping. */
import type { Command } from "commander";
import { type Config, ConfigError, parseConfig } from "../config.ts";
import type { Context } from "./context.ts";
import { EXIT, UsageError } from "./errors.ts";
import { type CompleteConfig, keepSecrets } from "./secrets.ts";
import { parseWhole } from "./values.ts";

export interface ServerFlags {
  host?: string;
  port?: number;
  data?: string;
}

export function withServerFlags(command: Command): Command {
  return command
    .option("--port <n>", "port to listen on (SIGNALBOX_PORT, 4600)", parseWhole(0, 65_535))
    .option("--host <address>", "address to listen on (SIGNALBOX_HOST, 127.0.0.1)");
}

/** The config with every token in place, see secrets.ts. */
export function readConfig(context: Context, flags: ServerFlags): CompleteConfig {
  return keepSecrets(readSettings(context, flags));
}

/** Flags win over the environment. Throws UsageError that says every bad value. */
export function readSettings(context: Context, flags: ServerFlags = {}): Config {
  const env = {
    ...context.env,
    ...(flags.port === undefined ? {} : { SIGNALBOX_PORT: String(flags.port) }),
    ...(flags.host === undefined ? {} : { SIGNALBOX_HOST: flags.host }),
    ...(flags.data === undefined ? {} : { SIGNALBOX_DATA: flags.data }),
  };
  try {
    return parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, error);
    throw error;
  }
}

/** Resolves at the first Ctrl-C or SIGTERM; a second one calls `force`. */
export function firstSignal(context: Context, force: () => void): Promise<void> {
  return new Promise((resolve) => {
    let asked = 0;
    const hear = () => {
      asked++;
      if (asked === 1) resolve();
      else force();
    };
    context.runtime.onSignal("SIGINT", hear);
    context.runtime.onSignal("SIGTERM", hear);
  });
}

/** Serves until told to stop; told twice, it leaves as it is: the next start cleans up. */
export async function untilStopped(
  context: Context,
  server: { stop(): Promise<void> },
): Promise<void> {
  await firstSignal(context, () => context.runtime.exit(EXIT.interrupted));
  context.err.line("Stopping. Press Ctrl-C again to leave at once.");
  await server.stop();
}
