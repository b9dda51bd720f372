/** `signalbox schedules pause|resume|trigger|delete NAME…` */
import { Argument, Command } from "commander";
import type { ScheduleItem } from "../../sdk/answers.ts";
import type { Client } from "../../sdk/client.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import { oneLine } from "../print/text.ts";

interface Flags extends ClientFlags {
  all?: boolean;
  reason?: string;
}

interface Verb {
  name: string;
  summary: string;
  description: string;
  /** What became of it, after its name. */
  act(client: Client, item: ScheduleItem, reason: { reason?: string }): Promise<string>;
  /** All of the organization. */
  all?(client: Client, reason: { reason?: string }): Promise<{ affected: number }>;
}

const VERBS: readonly Verb[] = [
  {
    name: "pause",
    summary: "submit nothing until they are resumed",
    description: "Pauses schedules: nothing is submitted until they are resumed. Their runs go on.",
    act: async ({ schedules }, { id }, reason) =>
      (await schedules.pause(id, reason)).affected === 1 ? "is paused" : "was paused already",
    all: ({ schedules }, reason) => schedules.pauseAll(reason),
  },
  {
    name: "resume",
    summary: "go on; the catch-up policy says what of the pause is run",
    description: "Resumes schedules. What was due meanwhile runs as their catch-up policy says.",
    act: async ({ schedules }, { id }, reason) =>
      (await schedules.resume(id, reason)).affected === 1 ? "goes on" : "was not paused",
    all: ({ schedules }, reason) => schedules.resumeAll(reason),
  },
  {
    name: "trigger",
    summary: "run them once now",
    description: "Runs schedules once now, also paused ones, as their overlap policy allows.",
    act: async ({ schedules }, { id }, reason) => {
      const { state, job, workflow } = await schedules.trigger(id, reason);
      if (state === "waiting") return "waits for the run before it";
      return workflow === null ? `submitted job ${job}` : `submitted workflow ${workflow}`;
    },
  },
  {
    name: "delete",
    summary: "remove them; their runs go on",
    description: "Removes schedules. What they have submitted goes on.",
    act: async ({ schedules }, { id }, reason) => {
      await schedules.remove(id, reason);
      return "is removed";
    },
  },
];

export function scheduleVerbs(context: Context): Command[] {
  return VERBS.map((verb) => {
    const command = new Command(verb.name)
      .summary(verb.summary)
      .description(verb.description)
      .addArgument(new Argument(verb.all ? "[name...]" : "<name...>", "names of schedules"))
      .option("--reason <text>", "why; written into the audit log")
      .option("--json", "print JSON")
      .action((names: string[], flags: Flags) => actOn(context, verb, names, flags));
    if (verb.all) command.option("--all", "every schedule of the organization");
    return withClientFlags(command).addHelpText(
      "after",
      `\nExample:\n  signalbox schedules ${verb.name} nightly-report`,
    );
  });
}

async function actOn(context: Context, verb: Verb, names: string[], flags: Flags): Promise<void> {
  const client = connect(context, flags);
  const reason = flags.reason === undefined ? {} : { reason: flags.reason };
  if (flags.all && verb.all) {
    const answer = await verb.all(client, reason);
    if (flags.json) return printJson(context, answer);
    return context.out.line(`${answer.affected} changed.`);
  }
  const items = new Map((await client.schedules.list()).map((item) => [item.name, item]));
  const done: { name: string; result: string }[] = [];
  if (names.length === 0) {
    context.err.line("Say which schedules, or --all.");
    context.exitCode = EXIT.usage;
  }
  for (const name of names) {
    const item = items.get(name);
    if (item === undefined) {
      context.err.line(`${oneLine(name)}: ${client.org} has no such schedule.`);
      context.exitCode = EXIT.failed;
      continue;
    }
    const result = await verb.act(client, item, reason);
    done.push({ name, result });
    if (!flags.json) context.out.line(`${oneLine(name)} ${result}.`);
  }
  if (flags.json) printJson(context, { items: done });
}
