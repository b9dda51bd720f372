/** `signalbox submit -- CMD…`: one job. */
import { Command } from "commander";
import type { JobInput, Requirements } from "../../messages/job_input.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { followToEnd } from "../follow/follow_job.ts";
import {
  collect,
  collectEnv,
  collectPairs,
  nameFromCommand,
  parseJobName,
  parseLabel,
  parseQueue,
  parseSeconds,
  parseWhole,
} from "../values.ts";

interface Flags extends ClientFlags {
  queue?: string;
  name?: string;
  priority?: number;
  timeout?: number;
  maxAttempts?: number;
  feature?: string[];
  system?: string;
  pool?: string;
  ramMb?: number;
  cpus?: number;
  tag?: Record<string, string>;
  env?: Record<string, string>;
  dedupeKey?: string;
  stdin?: boolean;
  follow?: boolean;
}

export function submitCommand(context: Context): Command {
  const command = new Command("submit")
    .summary("submit one job")
    .description(
      "Submits one job that runs CMD without a shell, and prints its id. With --follow it prints what the job writes and exits as the job does: with its exit code, with 128 + signal, or with 125 where Signalbox itself failed.",
    )
    .argument("<cmd...>", "program and arguments; put `--` before them")
    // What stands after the program belongs to it: `submit ls -l`.
    .passThroughOptions()
    .option("--follow", "stream the log and exit with the job's code")
    .option("--queue <queue>", "queue to stand in (default: default)", parseQueue)
    .option("--name <name>", "name of the job (default: the program's)", parseJobName)
    .option("--priority <n>", "-100 to 100, higher goes first", parseWhole(-100, 100))
    .option("--timeout <time>", "end it after this time: 90s, 15m, 2h", parseSeconds)
    .option("--max-attempts <n>", "try so many times (default: 1)", parseWhole(1, 1000))
    .option(
      "--env <K=V>",
      "environment variable; K alone passes this shell's on",
      collectEnv(context.env),
    )
    .option("--tag <k=v>", "tag, to find it by; may be repeated", collectPairs)
    .option("--dedupe-key <key>", "return the unfinished job with this key if there is one")
    .option("--stdin", "pass this command's standard input to the job")
    .option("--json", "print the job as JSON")
    .optionsGroup("The worker must have:")
    .option("--feature <name>", "this feature; may be repeated", collect(parseLabel))
    .option("--system <name>", "this system, such as x86_64-linux", parseLabel)
    .option("--pool <name>", "this pool", parseLabel)
    .option("--ram-mb <n>", "so much memory free, in MiB", parseWhole(1, 100_000_000))
    .option("--cpus <n>", "so many CPUs free", parseWhole(1, 100_000))
    .action((command: string[], flags: Flags) => submit(context, command, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox submit --follow -- echo hello
  signalbox submit --queue builds --timeout 30m --max-attempts 3 -- make -C /srv/app test
  signalbox submit --follow --env CI=1 -- sh -c 'echo "$CI" && uname -a'`,
  );
}

async function submit(context: Context, command: string[], flags: Flags): Promise<void> {
  context.following = flags.follow === true;
  const client = connect(context, flags);
  const job = await client.submit(toInput(command, flags, await readStdin(context, flags)));
  if (flags.follow) return followToEnd(context, client, job.id, flags);
  if (flags.json) return printJson(context, job);
  context.out.line(job.id);
  if (context.err.terminal) {
    context.err.line(`Submitted. Follow it with: signalbox job ${job.id} --follow`);
  }
}

export function toInput(command: string[], flags: Flags, stdin?: string): JobInput {
  return {
    name: flags.name ?? nameFromCommand(command[0] as string),
    queue: flags.queue,
    priority: flags.priority,
    timeout_seconds: flags.timeout,
    max_attempts: flags.maxAttempts,
    requirements: requirementsOf(flags),
    tags: flags.tag,
    dedupe_key: flags.dedupeKey,
    payload: { command, env: flags.env, stdin },
  };
}

function requirementsOf(flags: Flags): Requirements | undefined {
  const wanted = {
    features: flags.feature,
    system: flags.system,
    pool: flags.pool,
    ram_mb: flags.ramMb,
    cpus: flags.cpus,
  };
  return Object.values(wanted).some((value) => value !== undefined) ? wanted : undefined;
}

/** The payload has 256 KiB for everything. */
const STDIN_MAX_BYTES = 200 * 1024;

async function readStdin(context: Context, flags: Flags): Promise<string | undefined> {
  if (!flags.stdin) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of context.stdin()) {
    size += chunk.length;
    if (size > STDIN_MAX_BYTES) {
      throw new UsageError("Standard input is larger than 200 KiB: let the job fetch it instead.");
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UsageError("Standard input is not UTF-8 text.", error);
  }
}
