/** `signalbox job ID`: one job, or with `--log` what it wrote. */
import { Argument, Command } from "commander";
import type { PhaseEvent } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { followToEnd } from "../follow/follow_job.ts";
import { createPaint, paintState } from "../print/colour.ts";
import { describeJob, workerName } from "../print/job.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { printTime } from "../print/time.ts";
import { parseId, parseWhole } from "../values.ts";

interface Flags extends ClientFlags {
  log?: boolean;
  tail?: number;
  follow?: boolean;
  attempt?: number;
  events?: boolean;
}

export function jobCommand(context: Context): Command {
  const command = new Command("job")
    .summary("show one job, or its log")
    .description("Shows a job: its state, its times and its attempts; or its log.")
    .addArgument(new Argument("<id>", "the job's id").argParser(parseId))
    .option("--log", "print what it wrote")
    .option("--tail <n>", "only the last n lines of its log", parseWhole(1, 1_000_000))
    .option("--attempt <n>", "the log of this attempt", parseWhole(1, 1_000_000))
    .option("--follow", "stream its log until it ends, and exit with its code")
    .option("--events", "list every phase it entered")
    .option("--json", "print JSON")
    .action((id: string, flags: Flags) => showJob(context, id, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox job 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e
  signalbox job 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e --tail 50
  signalbox job 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e --follow`,
  );
}

function listEvents(context: Context, events: PhaseEvent[], flags: Flags): void {
  if (flags.json) {
    printJson(context, { items: events });
    return;
  }
  const paint = createPaint(context.out.colour);
  const columns: Column<PhaseEvent>[] = [
    { title: "AT", value: (event) => printTime(event.at) },
    { title: "ATTEMPT", value: (event) => String(event.attempt || "-"), align: "right" },
    { title: "STATE", value: (event) => paintState(paint, event.state) },
    { title: "WAITING FOR", value: (event) => event.waiting_for?.replaceAll("_", " ") ?? "-" },
    { title: "WORKER", value: (event) => workerName(event.worker) ?? "-", shrinkTo: 6 },
    { title: "BY", value: (event) => oneLine(event.actor ?? "-"), shrinkTo: 6 },
    { title: "REASON", value: (event) => oneLine(event.reason ?? ""), shrinkTo: 8 },
  ];
  context.out.line(renderTable(columns, events, context.out.columns, paint));
}

async function showJob(context: Context, id: string, flags: Flags): Promise<void> {
  const client = connect(context, flags);
  if (flags.follow) return followToEnd(context, client, id, flags);
  if (flags.log || flags.tail !== undefined || flags.attempt !== undefined) {
    const text = await client.log(id, { tail: flags.tail, attempt: flags.attempt });
    return context.out.write(text);
  }
  if (flags.events) return listEvents(context, await client.events(id), flags);
  const [job, attempts] = await Promise.all([client.job(id), client.attempts(id)]);
  if (flags.json) return printJson(context, { ...job, attempts });
  const paint = createPaint(context.out.colour);
  context.out.line(describeJob(job, attempts, paint, context.out.columns, Date.now()));
}
