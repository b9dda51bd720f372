/** `signalbox up`: everything on one machine, in one go. */
import { join } from "node:path";
import { Command } from "commander";
import type { RunningServer } from "../../main.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import { requirePort } from "../port_probe.ts";
import type { CompleteConfig } from "../secrets.ts";
import { firstSignal, readConfig, type ServerFlags, withServerFlags } from "../serving.ts";
import { localAddress } from "../up/address.ts";
import { writeClientFile } from "../up/client_file.ts";
import { type DemoFlags, withDemo } from "../up/demo.ts";
import { LocalWorker } from "../up/local_worker.ts";
import { selfCommand } from "../up/self.ts";
import { parseWhole } from "../values.ts";

interface Flags extends ServerFlags, DemoFlags {
  slots?: number;
  runAs?: string;
}

/** Told only where the worker does not leave at once. */
const PATIENCE_TOLD_MS = 700;

export function upCommand(context: Context): Command {
  const command = new Command("up")
    .summary("run everything on this machine: database, server, board and one worker")
    .description(
      "Starts PostgreSQL (unless DATABASE_URL names one), the server and one local worker, and prints the address with a link that signs in once. The other commands find this server through client.json in the data folder. Ctrl-C lets running jobs finish and then stops everything; a second one gives them back.",
    );
  return withServerFlags(command)
    .option("--slots <n>", "jobs at a time (default: one a CPU)", parseWhole(1, 10_000))
    .option("--run-as <user>", "user that jobs run as (for root: nobody)")
    .option("--data <folder>", "data folder (SIGNALBOX_DATA, ./.signalbox)")
    .option("--demo", "run a living sample workload, in a data folder of its own")
    .option("--demo-seed <n>", "another course of the demo", parseWhole(0, 2 ** 31))
    .action((flags: Flags) => up(context, flags))
    .addHelpText(
      "after",
      `
Examples:
  signalbox up
  signalbox up --port 8080 --slots 4
  signalbox up --demo --data ./demo`,
    );
}

async function up(context: Context, flags: Flags): Promise<void> {
  const config = readConfig(context, flags);
  let forced: () => void = () => context.runtime.exit(EXIT.interrupted);
  const stopped = firstSignal(context, () => forced());
  await requirePort(config);
  const { startServer } = await import("../../main.ts");
  const demo = withDemo(context, flags, config);
  const server = await startServer(config, context.runtime, demo);
  const worker = startWorker(context, flags, config, server.port);
  forced = () => void worker.stop();
  const url = `http://${localAddress(config.host, server.port)}`;
  writeClientFile(config.dataDir, { url, token: config.adminToken, org: "default" });
  const playing = await demo.play(url);
  greet(context, server);
  await stopped;
  await playing.stop();
  await leave(context, worker, server);
}

function startWorker(
  context: Context,
  flags: Flags,
  config: CompleteConfig,
  port: number,
): LocalWorker {
  const data = join(config.dataDir, "worker");
  const args = ["worker", "--url", `ws://${localAddress(config.host, port)}`, "--data", data];
  if (flags.slots !== undefined) args.push("--slots", String(flags.slots));
  if (flags.runAs !== undefined) args.push("--run-as", flags.runAs);
  // Its comings and goings stand on the board; only what is wrong belongs on this screen.
  args.push("--log-level", "warn");
  const worker = new LocalWorker({
    command: selfCommand(context.runtime, args),
    env: context.env,
    token: config.workerToken,
    data,
    say: (text) => context.err.line(text),
  });
  worker.start();
  return worker;
}

function greet(context: Context, server: RunningServer): void {
  context.out.line(`Signalbox is ready: ${server.url}/board`);
  context.out.line(`Sign in once with: ${server.signInLink()}`);
  context.out.line("Try: npx signalbox submit --follow -- echo hello");
  context.out.line("Ctrl-C lets running jobs finish and stops everything.");
}

/** The worker first: its server must be there to take what it reports. */
async function leave(context: Context, worker: LocalWorker, server: RunningServer): Promise<void> {
  const told = setTimeout(
    () =>
      context.err.line(
        "Waiting for running jobs to end. Press Ctrl-C again to give them back and stop now.",
      ),
    PATIENCE_TOLD_MS,
  );
  await worker.stop();
  clearTimeout(told);
  await server.stop();
  context.err.line("Signalbox has stopped.");
}
