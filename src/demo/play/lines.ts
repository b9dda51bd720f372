/** What jobs write into their logs, with the colours that such programs use. Pure. */
import type { Task, Voice } from "../cast/task.ts";
import type { Dice } from "../dice.ts";
import type { Performance } from "./perform.ts";

export interface Line {
  /** Milliseconds from the start. */
  at: number;
  text: string;
}

const paint = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const red = paint(31);
const green = paint(32);
const yellow = paint(33);
const cyan = paint(36);
const bold = paint(1);
const dim = paint(2);

const SOURCES = ["main", "buffer", "parser", "socket", "timer", "crc32", "table", "codec", "queue"];
const TESTS = [
  "parses headers",
  "keeps order",
  "rejects nonsense",
  "survives a restart",
  "is quick",
];
const WHERE = ["arctic", "biscay", "sahel", "tropics", "monsoon", "baltic"];

type Say = (dice: Dice, at: number, of: number) => string;

const MIDDLE: Record<Voice, Say> = {
  compile: (dice, at, of) => {
    const file = `${dice.pick(SOURCES)}_${dice.between(1, 40)}.c`;
    if (dice.chance(0.08)) {
      return `${bold(`src/${file}:${dice.between(9, 900)}`)}: ${yellow("warning:")} unused variable 'rc'`;
    }
    return `${dim(`[${at}/${of}]`)} CC ${file}`;
  },
  evaluate: (dice, at) =>
    `${cyan("evaluating")} attribute ${at * 37 + dice.between(0, 30)} of the package set`,
  test: (dice) =>
    dice.chance(0.1)
      ? `  ${yellow("-")} ${dice.pick(TESTS)} ${dim("(skipped)")}`
      : `  ${green("✓")} ${dice.pick(TESTS)} ${dim(`${dice.between(2, 900)} ms`)}`,
  simulate: (dice, at, of) => {
    const energy = (1.02 + dice.next() * 0.05).toFixed(4);
    return `step ${Math.round((at / of) * 2_400)}/2400  ${dim(dice.pick(WHERE))}  E=${energy}`;
  },
  transfer: (dice, at, of) =>
    `${cyan("↓")} part ${at}/${of}  ${(dice.next() * 90 + 10).toFixed(1)} MB/s`,
  batch: (dice, at, of) =>
    dice.chance(0.1)
      ? `${yellow("warn")} batch ${at}: ${dice.between(1, 9)} rows skipped`
      : `batch ${at} of ${of} done`,
  deploy: (dice, at, of) =>
    `${green("●")} ${at}/${of} ready ${dim(`pod web-${dice.between(1, 9)}`)}`,
};

const MOST_LINES = 14;
const EVERY_MS = 900;

/** All that an attempt of this performance writes, in the order of time. */
export function linesOf(task: Task, performance: Performance, dice: Dice): Line[] {
  const { runMs, trouble, items } = performance;
  const count = Math.max(2, Math.min(MOST_LINES, Math.round(runMs / EVERY_MS)));
  const lines: Line[] = [{ at: 0, text: bold(`==> ${task.name}`) }];
  for (let at = 1; at <= count; at++) {
    const text = MIDDLE[task.voice](dice, at, count);
    lines.push({ at: (runMs * at) / (count + 1), text });
  }
  if (items && items.failed > 0) {
    lines.push({ at: runMs * 0.98, text: red(`${items.failed} items failed`) });
  }
  const last = trouble ? trouble.error.split("\n").map(red).join("\n") : green("done");
  lines.push({ at: runMs * 0.99, text: last });
  return lines;
}

/** What stands beside the bar of progress. */
export function noteOf(task: Task, share: number): string {
  const percent = Math.round(share * 100);
  if (task.voice === "simulate") return `step ${Math.round(share * 2_400)} of 2400`;
  if (task.voice === "transfer") return `${Math.round(task.diskMb * share)} of ${task.diskMb} MB`;
  return `${percent} %`;
}
