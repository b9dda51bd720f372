/** `signalbox schedules`: what runs by the clock; pause, resume, run now, remove. */
import { Command } from "commander";
import type { ScheduleItem } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { createPaint, type Paint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { printAgo } from "../print/time.ts";
import { scheduleVerbs } from "./schedule_verbs.ts";

export function schedulesCommand(context: Context): Command {
  const command = new Command("schedules")
    // What stands behind a verb is its own.
    .enablePositionalOptions()
    .summary("list schedules, pause, resume, run and remove them")
    .description("Lists schedules: their rule, when they run next, and how they ran last.")
    .option("--json", "print JSON")
    .action((flags: ClientFlags) => listSchedules(context, flags));
  for (const verb of scheduleVerbs(context)) command.addCommand(verb);
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox schedules
  signalbox schedules pause nightly-report --reason "the disk is full"
  signalbox schedules trigger nightly-report`,
  );
}

async function listSchedules(context: Context, flags: ClientFlags): Promise<void> {
  const items = await connect(context, flags).schedules.list();
  if (flags.json) return printJson(context, { items });
  if (items.length === 0) {
    return context.err.line("No schedule yet: `signalbox help apply` shows how to make some.");
  }
  const paint = createPaint(context.out.colour);
  context.out.line(renderTable(columns(paint), items, context.out.columns, paint));
}

function columns(paint: Paint): Column<ScheduleItem>[] {
  return [
    { title: "NAME", value: (item) => item.name, shrinkTo: 12 },
    { title: "CRON", value: (item) => item.cron, shrinkTo: 9 },
    { title: "ZONE", value: (item) => item.time_zone, shrinkTo: 8 },
    { title: "IN WORDS", value: (item) => item.words, shrinkTo: 12 },
    {
      title: "NEXT",
      value: (item) =>
        item.paused_at === null
          ? printAgo(item.next_runs[0], Date.now())
          : paint("yellow", `paused by ${oneLine(item.paused_by ?? "?")}`),
      shrinkTo: 8,
    },
    { title: "LAST", value: (item) => printAgo(item.last_fire_at, Date.now()) },
    { title: "OUTCOME", value: (item) => item.last_outcome ?? "-" },
  ];
}
