/** `signalbox cancel ID…`: jobs, or a whole workflow. */
import { Argument, Command } from "commander";
import { actOnJobs } from "../act.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { count } from "../print/text.ts";
import { collect, parseId } from "../values.ts";

interface Flags extends ClientFlags {
  workflow?: boolean;
  reason?: string;
}

export function cancelCommand(context: Context): Command {
  const command = new Command("cancel")
    .summary("cancel jobs or a workflow")
    .description(
      "Cancels jobs. A waiting job is cancelled at once; a running one is asked to end, and has ten seconds to do so.",
    )
    .addArgument(new Argument("<id...>", "ids of jobs").argParser(collect(parseId)))
    .option("--workflow", "the ids are workflows: cancel what has not ended in them")
    .option("--reason <text>", "why, for the record")
    .option("--json", "print JSON")
    .action((ids: string[], flags: Flags) =>
      flags.workflow ? cancelWorkflows(context, ids, flags) : cancelJobs(context, ids, flags),
    );
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox cancel 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e --reason "wrong branch"
  signalbox jobs --state ready --queue builds --json | jq -r '.items[].id' | xargs signalbox cancel`,
  );
}

function cancelJobs(context: Context, ids: string[], flags: Flags): Promise<void> {
  return actOnJobs(context, ids, flags, {
    act: (client, id) => client.cancel(id, { reason: flags.reason }),
    say: (job) => (job.state === "cancelled" ? "is cancelled" : "was asked to end"),
  });
}

async function cancelWorkflows(context: Context, ids: string[], flags: Flags): Promise<void> {
  const client = connect(context, flags);
  const answers = [];
  for (const id of ids) {
    const answer = await client.cancelWorkflow(id, { reason: flags.reason });
    answers.push({ id, ...answer });
    if (!flags.json) context.out.line(`Cancelled ${count(answer.affected, "job")} of ${id}.`);
  }
  if (flags.json) printJson(context, answers);
}
