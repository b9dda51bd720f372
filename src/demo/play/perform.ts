/** How one attempt goes: how long, with what use of the machine, and to what end. Pure. */
import type { Items, Usage } from "../../messages/frames.ts";
import type { Task, Trouble } from "../cast/task.ts";
import type { Dice } from "../dice.ts";

export interface Performance {
  /** Until its own end; a timeout may come before. */
  runMs: number;
  /** Null: it ends well. */
  trouble: Failure | null;
  usage: Usage;
  items: Items | null;
}

export interface Failure {
  error: string;
  exitCode: number | null;
  signal: string | null;
}

/** So much of a run that fails has been done when it does. */
const FAILS_AFTER = [0.15, 0.95] as const;
const HANGS = 10;

/**
 * @param attempt counts from 1: what failed once is likelier to fail again, as in life
 * @param speed of the worker; 2 needs half the time
 */
export function perform(task: Task, dice: Dice, attempt: number, speed: number): Performance {
  const trouble = task.troubles?.find((one) => dice.chance(chanceOf(one, attempt)));
  const whole = (task.seconds * 1000 * dice.spread(0.32)) / speed;
  const part = trouble && trouble.how !== "hangs" ? shareDone(dice) : 1;
  const runMs = Math.max(120, whole * part * (trouble?.how === "hangs" ? HANGS : 1));
  return {
    runMs,
    trouble: trouble ? failureOf(task, trouble, dice) : null,
    usage: usageOf(task, dice, runMs, part, trouble?.how === "out_of_memory"),
    items: itemsOf(task, dice, part),
  };
}

function chanceOf({ chance }: Trouble, attempt: number): number {
  return attempt > 1 ? Math.min(0.5, chance * 3) : chance;
}

function shareDone(dice: Dice): number {
  const [least, most] = FAILS_AFTER;
  return least + dice.next() * (most - least);
}

function failureOf(task: Task, trouble: Trouble, dice: Dice): Failure | null {
  if (trouble.how === "fails") {
    const exitCode = task.kind === "exec" ? (trouble.exitCode ?? 1) : null;
    return { error: dice.pick(trouble.errors), exitCode, signal: null };
  }
  if (trouble.how === "out_of_memory") {
    const error = `killed: out of memory (limit ${Math.round(task.ramMb * 1.15)} MiB)`;
    return { error, exitCode: null, signal: "SIGKILL" };
  }
  return { error: "no progress any more", exitCode: null, signal: "SIGTERM" };
}

const SOURCE = { ram: "cgroup", cpu: "cgroup", disk: "cgroup", network: "host" } as const;

function usageOf(task: Task, dice: Dice, runMs: number, part: number, oom: boolean): Usage {
  const disk = task.diskMb * 1e6 * part * dice.spread(0.3);
  const written = 0.25 + dice.next() * 0.5;
  return {
    peak_ram_mb: tenths(task.ramMb * (oom ? 1.15 : Math.min(1.12, dice.spread(0.12)))),
    cpu_ms: Math.round(task.cores * runMs * dice.spread(0.15)),
    disk_read_bytes: Math.round(disk * (1 - written)),
    disk_write_bytes: Math.round(disk * written),
    network_mbps: tenths(task.networkMbps * dice.spread(0.4)),
    oom_killed: oom,
    source: { ...SOURCE, oom: "cgroup" },
  };
}

function itemsOf({ items }: Task, dice: Dice, part: number): Items | null {
  if (!items) return null;
  const all = Math.max(1, Math.round(dice.between(...items) * part));
  const failed = dice.chance(0.3) ? Math.round(all * dice.next() * 0.06) : 0;
  const skipped = dice.chance(0.4) ? Math.round(all * dice.next() * 0.2) : 0;
  return { success: all - failed - skipped, failed, skipped };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
