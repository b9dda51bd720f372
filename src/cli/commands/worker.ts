/** `signalbox worker`: runs jobs for a server. */
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { CliError, UsageError } from "../errors.ts";
import { keptWorkerToken } from "../kept_worker_token.ts";
import { collect, parseLabel, parseWhole } from "../values.ts";

interface Flags {
  url?: string;
  tokenFile?: string;
  name?: string;
  slots?: number;
  pool?: string;
  system?: string;
  feature?: string[];
  runAs?: string;
  data?: string;
  logLevel?: "debug" | "info" | "warn" | "error";
}

export function workerCommand(context: Context): Command {
  return new Command("worker")
    .summary("run jobs for a server")
    .description(
      "Connects to a server and runs its jobs until SIGTERM or Ctrl-C, which lets running jobs finish; a second one gives them back. Its token comes from --token-file or SIGNALBOX_WORKER_TOKEN, never from the command line.",
    )
    .requiredOption("--url <url>", "address of the server, such as ws://127.0.0.1:4600")
    .option("--token-file <file>", "file with the worker token (SIGNALBOX_WORKER_TOKEN)")
    .option("--name <name>", "name on the board (default: the host's)")
    .option("--slots <n>", "jobs at a time (default: one a CPU)", parseWhole(1, 10_000))
    .option("--pool <name>", "pool it belongs to (default: default)", parseLabel)
    .option("--system <name>", "system it offers (default: this machine's)", parseLabel)
    .option("--feature <name>", "feature it offers; may be repeated", collect(parseLabel))
    .option("--run-as <user>", "user that jobs run as (for root: nobody)")
    .option("--data <folder>", "its own folder (default: worker-NAME in SIGNALBOX_DATA)")
    .addOption(
      new Option("--log-level <level>", "least it logs").choices([
        "debug",
        "info",
        "warn",
        "error",
      ]),
    )
    .action((flags: Flags) => work(context, flags))
    .addHelpText(
      "after",
      `
Examples:
  signalbox worker --url ws://127.0.0.1:4600 --token-file /etc/signalbox/worker-token
  SIGNALBOX_WORKER_TOKEN=… signalbox worker --url wss://jobs.example.org --slots 8 --feature kvm`,
    );
}

async function work(context: Context, flags: Flags): Promise<void> {
  const { feature, ...rest } = flags;
  const url = flags.url as string;
  const token = flags.tokenFile ? undefined : keptWorkerToken(url, context.env, context.cwd);
  const { runWorker } = await import("../../worker/main.ts");
  try {
    context.exitCode = await runWorker({ ...rest, url, token, features: feature }, context.runtime);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "Error") throw error;
    // The worker tells in sentences what it cannot use; those about an option begin with it.
    const wrongUsage = /^(--|a worker needs a token)/.test(error.message);
    throw wrongUsage ? new UsageError(error.message, error) : new CliError(error.message, 1, error);
  }
}
