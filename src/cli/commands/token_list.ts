/** `signalbox token list`: which there are, of programs and of workers. */
import { Command } from "commander";
import type { Token, WorkerToken } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { createPaint, type Paint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { printAgo } from "../print/time.ts";

interface Flags extends ClientFlags {
  shared?: boolean;
}

type Row = (Token & { kind: "api" }) | (WorkerToken & { kind: "worker" });

export function tokenListCommand(context: Context): Command {
  const command = new Command("list")
    .summary("list tokens")
    .description(
      "Lists an organization's tokens, revoked and expired ones too. Secrets are never shown.",
    )
    .option("--shared", "worker tokens of the fleet that all organizations share")
    .option("--json", "print JSON")
    .action((flags: Flags) => list(context, flags));
  return withClientFlags(command).addHelpText("after", "\nExample:\n  signalbox token list");
}

async function list(context: Context, flags: Flags): Promise<void> {
  const { tokens } = connect(context, flags);
  const shared = flags.shared === true;
  const [api, workers] = await Promise.all([
    shared ? [] : tokens.list(),
    tokens.listForWorkers({ shared }),
  ]);
  const rows: Row[] = [
    ...api.map((token) => ({ ...token, kind: "api" as const })),
    ...workers.map((token) => ({ ...token, kind: "worker" as const })),
  ];
  if (flags.json) return printJson(context, { items: rows });
  if (rows.length === 0) {
    return context.err.line("No token yet. Make one: signalbox token create --name ci");
  }
  const paint = createPaint(context.out.colour);
  context.out.line(renderTable(columns(paint), rows, context.out.columns, paint));
}

function columns(paint: Paint): Column<Row>[] {
  const now = Date.now();
  return [
    { title: "NAME", value: (row) => oneLine(row.name), shrinkTo: 8 },
    { title: "FOR", value: (row) => (row.kind === "worker" ? "workers" : row.purpose) },
    { title: "MAY", value: allowance, shrinkTo: 8 },
    { title: "BEGINS", value: ({ hint }) => `${hint}…` },
    { title: "STATE", value: (row) => stateOf(row, now, paint) },
    { title: "USED", value: (row) => ago(row.last_used_at, now), align: "right" },
    { title: "MADE BY", value: (row) => oneLine(row.created_by), shrinkTo: 6 },
    { title: "ID", value: ({ id }) => id, shrinkTo: 8 },
  ];
}

function allowance(row: Row): string {
  if (row.kind === "api") return row.purpose === "metrics" ? "-" : (row.role ?? "as its owner");
  const { pool, features, kinds, slots_max } = row;
  const parts = [
    pool === null ? "" : `pool ${pool}`,
    features === null ? "" : `features ${features.join(" ") || "none"}`,
    kinds === null ? "" : kinds.join(" "),
    slots_max === null ? "" : `${slots_max} slots`,
  ];
  return oneLine(parts.filter((part) => part !== "").join(", ")) || "anything";
}

function stateOf({ revoked_at, expires_at }: Row, now: number, paint: Paint): string {
  if (revoked_at !== null) return paint("red", "revoked");
  if (expires_at === null) return paint("green", "good");
  const isOver = Date.parse(expires_at) <= now;
  return isOver ? paint("red", "expired") : paint("green", `until ${expires_at.slice(0, 10)}`);
}

function ago(time: string | null, now: number): string {
  return time === null ? "-" : printAgo(time, now);
}
