/** `signalbox why ID`: why is this job not running, or why did it run there? */
import { Argument, Command } from "commander";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { createPaint } from "../print/colour.ts";
import { printExplanation } from "../print/explanation.ts";
import { parseId, parseWhole } from "../values.ts";

interface Flags extends ClientFlags {
  attempt?: number;
}

export function whyCommand(context: Context): Command {
  const command = new Command("why")
    .summary("explain why a job waits, or why it ran where it ran")
    .description(
      "Explains a job: what holds it back and what would let it go on, or which rules gave it its worker.",
    )
    .addArgument(new Argument("<id>", "the job's id").argParser(parseId))
    .option("--attempt <n>", "explain this attempt", parseWhole(1, 1_000_000))
    .option("--json", "print JSON")
    .action((id: string, flags: Flags) => explain(context, id, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
Example:
  signalbox why 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e`,
  );
}

async function explain(context: Context, id: string, flags: Flags): Promise<void> {
  const client = connect(context, flags);
  const explanation = await client.explain(id, { attempt: flags.attempt });
  if (flags.json) return printJson(context, explanation);
  const job = await client.job(id);
  const paint = createPaint(context.out.colour);
  context.out.line(printExplanation(job, explanation, paint, context.out.columns));
}
