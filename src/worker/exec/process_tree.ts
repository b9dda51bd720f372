/**
 * All processes of one attempt, and their end.
 *
 * A process belongs to the attempt where it stands in the attempt's session, descends from a process
 * that belongs, was once seen to belong, or carries the attempt's mark in its environment. The
 * four together find a daemon that took a session of its own (by descent or mark), and one
 * that dropped its environment too (by having been seen). What escapes all four needs a cgroup.
 */
import process from "node:process";
import { MARK_NAME } from "./environment.ts";
import {
  hasMark,
  isDead,
  type ProcessEntry,
  type ProcessTable,
  readProcess,
  readProcesses,
} from "./process_table.ts";

const KILL_ROUNDS = 100;
const KILL_EVERY_MS = 20;

export class ProcessTree {
  /** The first process: leader of its session and group. */
  readonly leader: number;
  readonly startTicks: number;
  readonly mark: string;
  readonly #known = new Map<number, number>();

  /** `mark` is the value of the mark variable. */
  constructor(leader: number, mark: string, startTicks = readProcess(leader)?.startTicks ?? 0) {
    this.leader = leader;
    this.mark = mark;
    this.startTicks = startTicks;
  }

  /** Those that are alive in `table`. Without `marks` the (slower) environments stay unread. */
  members(table: ProcessTable, marks = false): ProcessEntry[] {
    const members = new Map<number, ProcessEntry>();
    const add = (entry: ProcessEntry) => {
      members.set(entry.pid, entry);
      this.#known.set(entry.pid, entry.startTicks);
    };
    for (const entry of table.values()) {
      if (entry.pid === process.pid || entry.startTicks < this.startTicks) continue;
      const seen = this.#known.get(entry.pid) === entry.startTicks;
      if (seen || (this.leader > 0 && entry.session === this.leader)) add(entry);
    }
    this.#addDescendants(table, members, add);
    if (marks) {
      for (const entry of table.values()) {
        if (members.has(entry.pid) || entry.startTicks < this.startTicks) continue;
        if (!isDead(entry) && hasMark(entry.pid, `${MARK_NAME}=${this.mark}`)) add(entry);
      }
    }
    for (const pid of this.#known.keys()) if (!members.has(pid)) this.#known.delete(pid);
    return [...members.values()].filter((entry) => !isDead(entry));
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    kill(-this.leader, signal);
    for (const entry of this.members(readProcesses(), true)) {
      if (entry.group !== this.leader) kill(entry.pid, signal);
    }
  }

  /** Kills until nothing is left. False where something outlived two seconds of it. */
  async killAll(): Promise<boolean> {
    for (let round = 0; round < KILL_ROUNDS; round += 1) {
      const members = this.members(readProcesses(), true);
      if (members.length === 0) return true;
      for (const entry of members) kill(entry.pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, KILL_EVERY_MS));
    }
    return false;
  }

  /** Children of children, however deep: repeated until a round finds nobody new. */
  #addDescendants(
    table: ProcessTable,
    members: Map<number, ProcessEntry>,
    add: (entry: ProcessEntry) => void,
  ): void {
    for (let grown = true; grown; ) {
      grown = false;
      for (const entry of table.values()) {
        if (!members.has(entry.parent) || members.has(entry.pid)) continue;
        add(entry);
        grown = true;
      }
    }
  }
}

/** Signals a process, or with a negative id its group; what is gone is gone. */
export function kill(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  // -1 and 0 would mean everybody.
  if (pid === 0 || Math.abs(pid) === 1) return;
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, or of a user that we may not signal.
  }
}
