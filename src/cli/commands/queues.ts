/** `signalbox queues`: the lanes, what stands in them and for how long. */
import { Command } from "commander";
import type { Queue } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { createPaint, type Paint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { printAgo, printDuration } from "../print/time.ts";
import { limitWords, queueVerbs } from "./queue_verbs.ts";

export function queuesCommand(context: Context): Command {
  const command = new Command("queues")
    // What stands behind a verb is its own.
    .enablePositionalOptions()
    .summary("list queues, stop, pause, resume and limit them")
    .description("Lists queues: jobs that wait and run, and how long the first has waited.")
    .option("--json", "print JSON")
    .action((flags: ClientFlags) => listQueues(context, flags));
  for (const verb of queueVerbs(context)) command.addCommand(verb);
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox queues
  signalbox queues stop builds --reason "wrong branch"
  signalbox queues pause --all --reason "the disk is full"
  signalbox queues limit mail --rate 100/60`,
  );
}

async function listQueues(context: Context, flags: ClientFlags): Promise<void> {
  const queues = await connect(context, flags).queues();
  if (flags.json) return printJson(context, { items: queues });
  if (queues.length === 0) return context.err.line("No queue yet: the first job makes one.");
  const paint = createPaint(context.out.colour);
  context.out.line(renderTable(columns(paint), queues, context.out.columns, paint));
}

function columns(paint: Paint): Column<Queue>[] {
  return [
    { title: "QUEUE", value: (queue) => queue.name, shrinkTo: 10 },
    { title: "PENDING", value: (queue) => queue.pending.toLocaleString("en"), align: "right" },
    { title: "RUNNING", value: (queue) => queue.running.toLocaleString("en"), align: "right" },
    {
      title: "LATENCY",
      value: ({ latency_seconds: seconds, latency_is_least: isLeast }) =>
        seconds === 0
          ? isLeast
            ? "?"
            : "-"
          : `${isLeast ? "≥ " : ""}${printDuration(seconds * 1000)}`,
      align: "right",
    },
    {
      title: "PAUSED",
      value: (queue) =>
        queue.paused_at
          ? paint(
              "yellow",
              `${printAgo(queue.paused_at, Date.now())} by ${oneLine(queue.paused_by ?? "?")}`,
            )
          : "-",
      shrinkTo: 10,
    },
    { title: "LIMITS", value: ({ limits }) => (limits ? limitWords(limits) : "-"), shrinkTo: 8 },
    { title: "DESCRIPTION", value: (queue) => oneLine(queue.description), shrinkTo: 8 },
  ];
}
