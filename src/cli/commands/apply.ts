/** `signalbox apply FILE…`: schedules as files say, so that they can live in version control. */
import { Argument, Command } from "commander";
import type { SchedulePatch } from "../../messages/schedule_input.ts";
import type { Schedule } from "../../sdk/answers.ts";
import type { Client } from "../../sdk/client.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { printChange, printSummary } from "../print/changes.ts";
import { type Change, planChanges } from "../schedule_file/plan.ts";
import { readScheduleFile, type ScheduleFile } from "../schedule_file/read.ts";

interface Flags extends ClientFlags {
  dryRun?: boolean;
  prune?: boolean;
  reason?: string;
}

export function applyCommand(context: Context): Command {
  const command = new Command("apply")
    .summary("make schedules what files say")
    .description(
      "Creates and changes schedules so that the server has what FILE says, and prints what differs. Twice is once. For admins and owners.",
    )
    .addArgument(new Argument("<file...>", "YAML or JSON"))
    .option("--prune", "remove schedules that these files managed and do not hold any more")
    .option("--dry-run", "print what would change, and change nothing")
    .option("--reason <text>", "why; written into the audit log")
    .option("--json", "print JSON")
    .action((files: string[], flags: Flags) => applyFiles(context, files, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
A file:
  managed_by: reports         # whose schedules --prune may remove
  schedules:
    - name: nightly-report
      cron: "30 2 * * *"      # minute hour day month weekday; six fields: second first
      time_zone: Europe/Berlin
      overlap: skip           # or queue, replace
      catch_up: last          # or none, all
      job:
        queue: reports
        run: make report

Examples:
  signalbox apply schedules.yaml --dry-run
  signalbox apply schedules/*.yaml --prune`,
  );
}

async function applyFiles(context: Context, paths: string[], flags: Flags): Promise<void> {
  // All are read before anything is sent.
  const files = paths.map((path) => readScheduleFile(path));
  refuseTwice(paths, files);
  const client = connect(context, flags);
  const changes = await plan(client, files, flags.prune === true);
  const isDryRun = flags.dryRun === true;
  for (const change of changes) {
    if (!isDryRun) await carryOut(client, change, flags.reason);
    // Once it is done: where one fails, what stands above it has happened.
    if (!flags.json) printChange(context, change);
  }
  if (!flags.json) printSummary(context, changes, isDryRun);
  else {
    const items = changes.map(({ kind, name, ...rest }) => {
      return { kind, name, fields: "fields" in rest ? rest.fields : [] };
    });
    printJson(context, { dry_run: isDryRun, items });
  }
}

function refuseTwice(paths: string[], files: ScheduleFile[]): void {
  const first = new Map<string, string>();
  for (const [at, file] of files.entries()) {
    for (const { input } of file.schedules) {
      const before = first.get(input.name);
      if (before !== undefined) {
        throw new UsageError(`The schedule ${input.name} stands in ${before} and in ${paths[at]}.`);
      }
      first.set(input.name, paths[at]!);
    }
  }
}

async function plan(client: Client, files: ScheduleFile[], prune: boolean): Promise<Change[]> {
  const all = await client.schedules.list();
  const names = new Set(files.flatMap((file) => file.schedules.map(({ input }) => input.name)));
  const known = new Map<string, Schedule>();
  for (const { name, id } of all) {
    if (names.has(name)) known.set(name, await client.schedules.get(id));
  }
  return planChanges(files, known, all, prune);
}

async function carryOut({ schedules }: Client, change: Change, reason?: string): Promise<void> {
  const told = reason === undefined ? {} : { reason };
  if (change.kind === "create") await schedules.create(change.filed.input, told);
  if (change.kind === "delete") {
    await schedules.remove(change.id, { reason: reason ?? "not in its file any more" });
  }
  if (change.kind !== "update") return;
  if (change.fields.length > 0) {
    const patch = Object.fromEntries(change.fields.map(({ field, to }) => [field, to]));
    await schedules.change(change.id, patch as SchedulePatch, told);
  }
  if (change.pause === null) return;
  const why = { reason: reason ?? "as its file says" };
  await (change.pause ? schedules.pause : schedules.resume).call(schedules, change.id, why);
}
