/** `signalbox retry ID…`: once more, with everything that a failure had kept from running. */
import { Argument, Command } from "commander";
import { actOnJobs } from "../act.ts";
import { type ClientFlags, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { collect, parseId } from "../values.ts";

interface Flags extends ClientFlags {
  reason?: string;
}

export function retryCommand(context: Context): Command {
  const command = new Command("retry")
    .summary("run jobs again that ended badly")
    .description(
      "Takes failed, cancelled and dependency-failed jobs back to queued, under the same id, and revives the jobs that depend on them.",
    )
    .addArgument(new Argument("<id...>", "ids of jobs").argParser(collect(parseId)))
    .option("--reason <text>", "why, for the record")
    .option("--json", "print JSON")
    .action((ids: string[], flags: Flags) =>
      actOnJobs(context, ids, flags, {
        act: (client, id) => client.retry(id, { reason: flags.reason }),
        say: () => "will run again",
      }),
    );
  return withClientFlags(command).addHelpText(
    "after",
    `
Example:
  signalbox retry 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e`,
  );
}
