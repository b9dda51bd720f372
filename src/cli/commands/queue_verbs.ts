/** `signalbox queues stop|pause|resume NAME…` and `signalbox queues limit NAME`. */
import { Command, InvalidArgumentError } from "commander";
import type { Queue, QueuePatch, StoppedQueues } from "../../sdk/answers.ts";
import type { Client } from "../../sdk/client.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import { oneLine } from "../print/text.ts";

interface Flags extends ClientFlags {
  all?: boolean;
  reason?: string;
  dryRun?: boolean;
}

interface Verb {
  name: string;
  summary: string;
  description: string;
  /** What became of it, after its name, and as JSON. */
  act(client: Client, name: string, flags: Flags): Promise<{ words: string; answer: object }>;
  all(client: Client, flags: Flags): Promise<{ words: string; answer: object }>;
  /** Several as one; each for itself without it. */
  several?(
    client: Client,
    names: string[],
    flags: Flags,
  ): Promise<{ words: string; answer: object }>;
}

const VERBS: readonly Verb[] = [
  {
    name: "stop",
    summary: "end all that waits in them",
    description:
      "Stops queues: what waits ends as cancelled, what runs, runs on. Nothing of it starts any more; for " +
      "10 seconds it can be called off: signalbox queues undo OPERATION.",
    act: async ({ operating }, name, flags) =>
      stopped(await operating.stopQueue(name, stopOptions(flags)), flags),
    all: async ({ operating }, flags) =>
      stopped(await operating.stopQueues(stopOptions(flags)), flags),
    several: async ({ operating }, queues, flags) =>
      stopped(await operating.stopQueues({ ...stopOptions(flags), queues }), flags, MANY),
  },
  {
    name: "pause",
    summary: "start nothing of them until they are resumed",
    description:
      "Pauses queues: nothing of them starts until they are resumed. What runs, runs on.",
    act: async (client, name, { reason }) =>
      changed(await client.pauseQueue(name, because(reason)), "is paused", "was paused already"),
    all: async ({ operating }, { reason }) =>
      countOf(await operating.pauseQueues(because(reason)), "paused"),
  },
  {
    name: "resume",
    summary: "go on with them",
    description: "Resumes queues.",
    act: async (client, name, { reason }) =>
      changed(await client.resumeQueue(name, because(reason)), "goes on", "was not paused"),
    all: async ({ operating }, { reason }) =>
      countOf(await operating.resumeQueues(because(reason)), "resumed"),
  },
];

export function queueVerbs(context: Context): Command[] {
  const verbs = VERBS.map((verb) => {
    const command = new Command(verb.name)
      .summary(verb.summary)
      .description(verb.description)
      .argument("[name...]", "names of queues")
      .option("--all", "every queue of the organization")
      .option("--reason <text>", "why; written into the audit log")
      .option("--json", "print JSON")
      .action((names: string[], flags: Flags) => actOn(context, verb, names, flags));
    if (verb.name === "stop") command.option("--dry-run", "only count what it would end");
    return withClientFlags(command).addHelpText(
      "after",
      `\nExample:\n  signalbox queues ${verb.name} builds --reason "wrong branch"`,
    );
  });
  return [...verbs, undoCommand(context), limitCommand(context)];
}

async function actOn(context: Context, verb: Verb, names: string[], flags: Flags): Promise<void> {
  const client = connect(context, flags);
  if (flags.all) {
    const { words, answer } = await verb.all(client, flags);
    return flags.json ? printJson(context, answer) : context.out.line(words);
  }
  if (names.length === 0) {
    context.err.line("Say which queues, or --all.");
    context.exitCode = EXIT.usage;
    return;
  }
  if (verb.several && names.length > 1) {
    const { words, answer } = await verb.several(client, names, flags);
    if (flags.json) return printJson(context, answer);
    return context.out.line(`${names.map(oneLine).join(", ")} ${words}.`);
  }
  const done: object[] = [];
  for (const name of names) {
    const { words, answer } = await verb.act(client, name, flags);
    done.push({ name, ...answer });
    if (!flags.json) context.out.line(`${oneLine(name)} ${words}.`);
  }
  if (flags.json) printJson(context, { items: done });
}

const ONE = { has: "has", is: "is" };
const MANY = { has: "have", is: "are" };

function stopped(answer: StoppedQueues, { dryRun }: Flags, { has, is } = ONE) {
  const { operation, affected } = answer;
  const jobs = affected === 1 ? "1 job" : `${affected.toLocaleString("en")} jobs`;
  if (dryRun) return { words: `${has} ${jobs} that wait`, answer };
  if (operation === null) return { words: `${has} nothing that waits`, answer };
  const undo = `to call it off within 10 s: signalbox queues undo ${operation}`;
  return { words: `${is} stopped: ${jobs} will end; ${undo}`, answer };
}

function changed(answer: { affected: number }, did: string, was: string) {
  return { words: answer.affected === 1 ? did : was, answer };
}

function countOf(answer: { affected: number }, did: string) {
  return { words: `${answer.affected} ${did}.`, answer };
}

const stopOptions = ({ dryRun, reason }: Flags) => ({
  ...because(reason),
  ...(dryRun ? { dryRun } : {}),
});

const because = (reason: string | undefined) => (reason === undefined ? {} : { reason });

function undoCommand(context: Context): Command {
  const command = new Command("undo")
    .summary("call off a stop")
    .description("Calls a stop off: whole within 10 seconds, later what is left of it.")
    .argument("<operation>", "as `queues stop` printed it")
    .option("--reason <text>", "why; written into the audit log")
    .option("--json", "print JSON")
    .action(async (id: string, flags: Flags) => {
      const answer = await connect(context, flags).undoOperation(id, because(flags.reason));
      if (flags.json) return printJson(context, answer);
      const words =
        answer.state === "undone" ? "Called off whole." : `Stopped; ${answer.done} ended.`;
      context.out.line(words);
    });
  return withClientFlags(command);
}

interface LimitFlags extends ClientFlags {
  concurrency?: number | "none";
  rate?: { count: number; seconds: number } | "none";
  perKey?: { tag: string; concurrency: number } | "none";
  description?: string;
  reason?: string;
}

function limitCommand(context: Context): Command {
  const command = new Command("limit")
    .summary("limit a queue, or describe it")
    .description("Limits a queue. What is not named stays; `none` takes a limit away.")
    .argument("<name>", "name of the queue")
    .option("--concurrency <n>", "jobs at once, or none", orNone(whole))
    .option(
      "--rate <n/seconds>",
      "starts in so many seconds, such as 100/60, or none",
      orNone(rate),
    )
    .option(
      "--per-key <tag=n>",
      "jobs at once with the same value of a tag, or none",
      orNone(perKey),
    )
    .option("--description <text>", "what it is for")
    .option("--reason <text>", "why; written into the audit log")
    .option("--json", "print JSON")
    .action((name: string, flags: LimitFlags) => limitQueue(context, name, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox queues limit builds --concurrency 20
  signalbox queues limit mail --rate 100/60 --per-key customer=2
  signalbox queues limit builds --concurrency none`,
  );
}

async function limitQueue(context: Context, name: string, flags: LimitFlags): Promise<void> {
  const limits = {
    ...(flags.concurrency === undefined ? {} : { concurrency: nullOf(flags.concurrency) }),
    ...(flags.rate === undefined ? {} : { rate: nullOf(flags.rate) }),
    ...(flags.perKey === undefined ? {} : { per_key: nullOf(flags.perKey) }),
  };
  const patch: QueuePatch = {
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(flags.description === undefined ? {} : { description: flags.description }),
  };
  const { operating } = connect(context, flags);
  const queue = await operating.changeQueue(name, patch, because(flags.reason));
  if (flags.json) return printJson(context, queue);
  context.out.line(`${oneLine(name)}: ${limitWords(queue.limits)}.`);
}

export function limitWords(limits: Queue["limits"]): string {
  const words = [
    limits?.concurrency ? `${limits.concurrency} at once` : "",
    limits?.rate ? `${limits.rate.count} starts in ${limits.rate.seconds} s` : "",
    limits?.per_key ? `${limits.per_key.concurrency} at once for each ${limits.per_key.tag}` : "",
  ].filter((word) => word !== "");
  return words.length === 0 ? "no limit" : oneLine(words.join(", "));
}

function orNone<T>(read: (text: string) => T): (text: string) => T | "none" {
  return (text) => (text === "none" ? text : read(text));
}

function nullOf<T>(value: T | "none"): T | null {
  return value === "none" ? null : value;
}

function whole(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("Write a whole number, or none.");
  return Number(text);
}

function rate(text: string): { count: number; seconds: number } {
  const found = /^([1-9]\d*)\/(\d+(?:\.\d+)?)$/.exec(text);
  if (!found) throw new InvalidArgumentError("Write how many in how many seconds, such as 100/60.");
  return { count: Number(found[1]), seconds: Number(found[2]) };
}

function perKey(text: string): { tag: string; concurrency: number } {
  const at = text.lastIndexOf("=");
  const n = text.slice(at + 1);
  if (at < 1 || !/^[1-9]\d*$/.test(n)) {
    throw new InvalidArgumentError("Write a tag and how many, such as customer=2.");
  }
  return { tag: text.slice(0, at), concurrency: Number(n) };
}
