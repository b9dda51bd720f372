/** `signalbox silence [JOB]`: tell nobody of some alerts for a while; list and end silences. */
import { Argument, Command } from "commander";
import type { Silence } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { createPaint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { parseId, parseSeconds } from "../values.ts";

interface Flags extends ClientFlags {
  for?: number;
  reason?: string;
  rule?: string;
  list?: boolean;
  end?: string;
}

export function silenceCommand(context: Context): Command {
  const command = new Command("silence")
    .summary("tell nobody of some alerts for a while")
    .description("Silences alerts: they are recorded, and nobody is told until it is over.")
    .addArgument(new Argument("[job]", "name of a job, or its beginning and a *; all without it"))
    .option("--for <time>", "how long: 30m, 2h, 1d", parseSeconds)
    .option("--reason <text>", "why, for those who wonder")
    .option("--rule <name>", "one rule, such as BackgroundJobFailing; all without it")
    .option("--list", "list silences")
    .option("--end <id>", "end a silence now", parseId)
    .option("--json", "print JSON")
    .action((job: string | undefined, flags: Flags) => act(context, job, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox silence clip_sync --for 2h --reason "the source is down, we know"
  signalbox silence 'report-*' --rule BackgroundJobNotRunning --for 1d --reason "holidays"
  signalbox silence --list`,
  );
}

async function act(context: Context, job: string | undefined, flags: Flags): Promise<void> {
  const { alerts } = connect(context, flags);
  if (flags.list) return list(context, flags, await alerts.silences());
  if (flags.end !== undefined) {
    const ended = await alerts.endSilence(flags.end, { reason: flags.reason });
    if (flags.json) return printJson(context, ended);
    return context.out.line(`${ended.id} is over.`);
  }
  if (flags.for === undefined || flags.reason === undefined) {
    throw new UsageError('Say for how long and why: --for 2h --reason "we know".');
  }
  const made = await alerts.silence({
    ...{ job_name: job ?? null, rule: (flags.rule ?? null) as Silence["rule"] as never },
    ...{ seconds: Math.round(flags.for), reason: flags.reason },
  });
  if (flags.json) return printJson(context, made);
  context.out.line(`${made.id}: ${covers(made)} silenced until ${made.ends_at}.`);
}

async function list(context: Context, flags: Flags, items: Silence[]): Promise<void> {
  if (flags.json) return printJson(context, { items });
  if (items.length === 0) return context.err.line("No silence.");
  const paint = createPaint(context.out.colour);
  const columns: Column<Silence>[] = [
    { title: "ID", value: (one) => one.id },
    { title: "COVERS", value: (one) => covers(one), shrinkTo: 12 },
    { title: "IN", value: (one) => oneLine(one.org ?? "every organization"), shrinkTo: 8 },
    { title: "STATE", value: (one) => (one.active ? "holds" : "over or to come") },
    { title: "UNTIL", value: (one) => one.ends_at },
    { title: "WHY", value: (one) => oneLine(one.reason), shrinkTo: 8 },
  ];
  context.out.line(renderTable(columns, items, context.out.columns, paint));
}

function covers({ rule, job_name }: Silence): string {
  return oneLine(`${rule ?? "every rule"} of ${job_name ?? "every job"}`);
}
