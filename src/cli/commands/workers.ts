/** `signalbox workers`: who is connected, and how busy they are. */
import { Command } from "commander";
import type { Worker } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { type Colour, createPaint, type Paint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { printAgo, printBytes } from "../print/time.ts";

export function workersCommand(context: Context): Command {
  const command = new Command("workers")
    .summary("list connected workers")
    .description("Lists the workers that are connected: slots in use, load, and what they offer.")
    .option("--json", "print JSON")
    .action((flags: ClientFlags) => listWorkers(context, flags));
  return withClientFlags(command).addHelpText("after", "\nExample:\n  signalbox workers");
}

async function listWorkers(context: Context, flags: ClientFlags): Promise<void> {
  const workers = await connect(context, flags).workers();
  if (flags.json) return printJson(context, { items: workers });
  if (workers.length === 0) {
    return context.err.line(
      "No worker is connected. Start one: signalbox worker --url ws://HOST:PORT --token-file FILE",
    );
  }
  const paint = createPaint(context.out.colour);
  context.out.line(renderTable(columns(paint), workers, context.out.columns, paint));
}

const COLOURS: Record<Worker["state"], Colour> = {
  ready: "green",
  draining: "yellow",
  lost: "red",
};

function columns(paint: Paint): Column<Worker>[] {
  return [
    { title: "NAME", value: (worker) => oneLine(worker.name), shrinkTo: 8 },
    { title: "STATE", value: ({ state }) => paint(COLOURS[state], state) },
    { title: "SLOTS", value: ({ used, slots }) => `${used}/${slots}`, align: "right" },
    { title: "CPU", value: ({ metrics }) => percent(metrics.cpu_pct), align: "right" },
    { title: "FREE RAM", value: ({ metrics }) => mebibytes(metrics.ram_free_mb), align: "right" },
    { title: "POOL", value: ({ pool }) => oneLine(pool), shrinkTo: 6 },
    { title: "SYSTEM", value: ({ system }) => oneLine(system ?? "-"), shrinkTo: 6 },
    { title: "FEATURES", value: ({ features }) => oneLine(features.join(" ")) || "-", shrinkTo: 8 },
    {
      title: "SEEN",
      value: ({ last_seen_at }) => printAgo(last_seen_at, Date.now()),
      align: "right",
    },
    { title: "ID", value: ({ id }) => id, shrinkTo: 8 },
  ];
}

function percent(value: number | null): string {
  return value === null ? "-" : `${Math.round(value)} %`;
}

function mebibytes(value: number | null): string {
  return value === null ? "-" : printBytes(value * 1024 * 1024);
}
