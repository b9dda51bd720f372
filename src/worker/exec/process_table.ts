/** Reads the processes of this machine from `/proc`; empty where there is none. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessEntry {
  pid: number;
  state: string;
  parent: number;
  group: number;
  session: number;
  /** Since boot, in clock ticks; with the pid it names a process for good. */
  startTicks: number;
  /** Own and waited-for children's, user and system. */
  cpuTicks: number;
}

export type ProcessTable = ReadonlyMap<number, ProcessEntry>;

export function readProcess(pid: number): ProcessEntry | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return null;
  }
}

export function readProcesses(): ProcessTable {
  const table = new Map<number, ProcessEntry>();
  let names: string[] = [];
  try {
    names = readdirSync("/proc");
  } catch {
    return table;
  }
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    const entry = readProcess(Number(name));
    if (entry) table.set(entry.pid, entry);
  }
  return table;
}

/** proc(5): the command stands in brackets and may itself hold brackets, blanks and newlines. */
export function parseStat(text: string): ProcessEntry | null {
  const close = text.lastIndexOf(")");
  if (close < 0) return null;
  const field = text.slice(close + 2).split(" ");
  const number = (at: number) => Number(field[at - 3] ?? 0);
  return {
    pid: Number.parseInt(text, 10),
    state: field[0] ?? "?",
    parent: number(4),
    group: number(5),
    session: number(6),
    startTicks: number(22),
    cpuTicks: number(14) + number(15) + number(16) + number(17),
  };
}

/** Dead, only not yet waited for: it runs nothing and cannot be killed. */
export function isDead(entry: ProcessEntry): boolean {
  return entry.state === "Z" || entry.state === "X";
}

/** Whether the process was started with this `NAME=value` in its environment. */
export function hasMark(pid: number, mark: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    return environment.startsWith(`${mark}\0`) || environment.includes(`\0${mark}\0`);
  } catch {
    return false;
  }
}

/** Changes at each boot, when process ids and start times begin anew. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
