/** `signalbox alerts`: what fires and is pending, or what did. */
import { Command } from "commander";
import type { Alert, AlertEvent } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { createPaint, type Paint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { printAgo } from "../print/time.ts";

interface Flags extends ClientFlags {
  history?: boolean;
}

export function alertsCommand(context: Context): Command {
  const command = new Command("alerts")
    .summary("list what fires")
    .description("Lists alerts that fire or are pending, the critical first; or when they fired.")
    .option("--history", "when alerts fired and ended, newest first")
    .option("--json", "print JSON")
    .action((flags: Flags) => (flags.history ? history(context, flags) : now(context, flags)));
  return withClientFlags(command).addHelpText(
    "after",
    "\nExamples:\n  signalbox alerts\n  signalbox alerts --history",
  );
}

async function now(context: Context, flags: Flags): Promise<void> {
  const items = await connect(context, flags).alerts.list();
  if (flags.json) return printJson(context, { items });
  if (items.length === 0) return context.err.line("Nothing fires.");
  const paint = createPaint(context.out.colour);
  const columns: Column<Alert>[] = [
    { title: "SEVERITY", value: (alert) => coloured(paint, alert) },
    { title: "STATE", value: (alert) => (alert.silenced ? "silenced" : alert.state) },
    { title: "SINCE", value: (alert) => printAgo(alert.since, Date.now()) },
    { title: "ALERT", value: (alert) => oneLine(alert.summary), shrinkTo: 20 },
    { title: "FIGURES", value: (alert) => oneLine(alert.description), shrinkTo: 20 },
  ];
  context.out.line(renderTable(columns, items, context.out.columns, paint));
}

async function history(context: Context, flags: Flags): Promise<void> {
  const items = await connect(context, flags).alerts.history();
  if (flags.json) return printJson(context, { items });
  if (items.length === 0) return context.err.line("No alert has fired yet.");
  const paint = createPaint(context.out.colour);
  const columns: Column<AlertEvent>[] = [
    { title: "WHEN", value: (event) => printAgo(event.at, Date.now()) },
    { title: "SEVERITY", value: (event) => coloured(paint, event) },
    { title: "BECAME", value: (event) => event.kind + (event.silenced ? ", silenced" : "") },
    { title: "ALERT", value: (event) => oneLine(event.summary), shrinkTo: 20 },
    { title: "FIGURES", value: (event) => oneLine(event.description), shrinkTo: 20 },
  ];
  context.out.line(renderTable(columns, items, context.out.columns, paint));
}

function coloured(paint: Paint, { severity }: Pick<Alert, "severity">): string {
  return severity === "critical" ? paint("red", severity) : paint("yellow", severity);
}
