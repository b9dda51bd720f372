/** `signalbox slots`: what the slots of workers hold, and freeing them. */
import { Command } from "commander";
import type { Pool } from "../../sdk/answers.ts";
import type { Client } from "../../sdk/client.ts";
import { ClientError } from "../../sdk/client_error.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import { createPaint, type Paint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { printAgo } from "../print/time.ts";

type PoolWorker = Pool["workers"][number];
type Held = PoolWorker["jobs"][number] & { worker: string };

interface FreeFlags extends ClientFlags {
  all?: boolean;
  requeue?: boolean;
  reason?: string;
}

export function slotsCommand(context: Context): Command {
  const command = new Command("slots")
    // What stands behind a verb is its own.
    .enablePositionalOptions()
    .summary("list what runs in the slots of workers, and free them")
    .description("Lists the slots of connected workers that run a job.")
    .option("--json", "print JSON: pools with their workers")
    .action((flags: ClientFlags) => listSlots(context, flags));
  command.addCommand(freeCommand(context));
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox slots
  signalbox slots free builder-1 3 --requeue --reason "make room"
  signalbox slots free --all --reason "repairs"`,
  );
}

async function listSlots(context: Context, flags: ClientFlags): Promise<void> {
  const pools = await connect(context, flags).operating.pools();
  if (flags.json) return printJson(context, { items: pools });
  const held = pools.flatMap(({ workers }) =>
    workers.flatMap(({ name, jobs }): Held[] => jobs.map((job) => ({ ...job, worker: name }))),
  );
  if (held.length === 0) return context.err.line("Every slot is idle.");
  const paint = createPaint(context.out.colour);
  context.out.line(renderTable(columns(paint), held, context.out.columns, paint));
}

function columns(paint: Paint): Column<Held>[] {
  return [
    { title: "WORKER", value: ({ worker }) => oneLine(worker), shrinkTo: 8 },
    { title: "SLOT", value: ({ slot }) => String(slot ?? "-"), align: "right" },
    { title: "JOB", value: ({ name }) => oneLine(name), shrinkTo: 10 },
    { title: "STATE", value: (held) => stateOf(held, paint) },
    { title: "STARTED", value: ({ started_at }) => printAgo(started_at, Date.now()) },
    { title: "CHECKED IN", value: ({ checked_in_at }) => printAgo(checked_in_at, Date.now()) },
    { title: "ID", value: ({ job }) => job, shrinkTo: 8 },
  ];
}

function stateOf({ state, freeing }: Held, paint: Paint): string {
  return freeing === null ? state : paint("yellow", `stopping (${freeing.state})`);
}

function freeCommand(context: Context): Command {
  const command = new Command("free")
    .summary("stop what a slot runs")
    .description(
      "Frees a slot: its job is asked to stop, and killed after a while. It ends as cancelled, or goes back in " +
        "line with --requeue.",
    )
    .argument("[worker]", "name or id of a worker")
    .argument("[slot]", "one of its slots, from 1")
    .option("--all", "every slot that runs a job of the organization")
    .option("--requeue", "the job goes back in line, and no failure is counted")
    .option("--reason <text>", "why; written into the audit log")
    .option("--json", "print JSON")
    .action((worker: string | undefined, slot: string | undefined, flags: FreeFlags) =>
      freeSlot(context, { worker, slot }, flags),
    );
  return withClientFlags(command);
}

async function freeSlot(
  context: Context,
  { worker, slot }: { worker: string | undefined; slot: string | undefined },
  flags: FreeFlags,
): Promise<void> {
  const client = connect(context, flags);
  const { reason, requeue } = flags;
  const options = { ...(reason === undefined ? {} : { reason }), ...(requeue ? { requeue } : {}) };
  if (flags.all) {
    const answer = await client.operating.freeSlots(options);
    if (flags.json) return printJson(context, answer);
    return context.out.line(`${answer.affected} asked to stop.`);
  }
  const n = Number(slot);
  if (worker === undefined || !Number.isInteger(n) || n < 1) {
    context.err.line("Say which worker and which of its slots, or --all.");
    context.exitCode = EXIT.usage;
    return;
  }
  const answer = await client.operating.freeSlot(await idOf(client, worker), n, options);
  if (flags.json) return printJson(context, answer);
  context.out.line(freedWords(n, answer));
}

function freedWords(
  n: number,
  { affected, slot }: Awaited<ReturnType<Client["operating"]["freeSlot"]>>,
): string {
  if (affected === 1) return `Slot ${n} was asked to stop what it runs.`;
  return slot.state === "idle" ? `Slot ${n} is idle.` : `Slot ${n} was asked before.`;
}

/** Throws where none is called so, or several are. */
async function idOf(client: Client, worker: string): Promise<string> {
  const workers = (await client.operating.pools()).flatMap((pool) => pool.workers);
  const own = workers.filter(({ id, name }) => id === worker || name === worker);
  if (own.length === 1) return own[0]!.id;
  const what = own.length === 0 ? "No connected worker" : `${own.length} connected workers`;
  const is = own.length === 0 ? "is" : "are";
  throw new ClientError(`${what} ${is} called ${oneLine(worker)}: name one by its id.`, 404);
}
