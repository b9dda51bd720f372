/**
 * What one process tree used, from samples of `/proc`: for machines without a cgroup of our own.
 *
 * RAM is the larger of the tree's largest resident sum at one time and of any one process's own
 * high-water mark, so that a peak between two samples counts where one process made it. (The
 * kernel's `ru_maxrss` is no help: it starts at the size of the process that forked.) CPU and disk
 * count children that were waited for; what ended unseen between two samples may be missing, so
 * the runtime's exact count at exit wins where there is one.
 */
import { readFileSync } from "node:fs";
import type { Usage } from "../../messages/frames.ts";
import type { ProcessEntry } from "../exec/process_table.ts";

/** Linux tells user space 100 ticks a second, whatever the kernel's own rate. */
const TICK_MS = 10;
const MIB = 1024 * 1024;

interface Counted {
  parent: number;
  cpuTicks: number;
  readBytes: number | undefined;
  writtenBytes: number | undefined;
}

export class TreeUsage {
  #peakBytes = 0;
  #cpuTicks = 0;
  #readBytes: number | undefined;
  #writtenBytes: number | undefined;
  #last = new Map<number, Counted>();
  /** Of processes that ended as orphans, so that no parent counts them. */
  #gone = { cpuTicks: 0, readBytes: 0, writtenBytes: 0 };

  sample(members: readonly ProcessEntry[]): void {
    if (members.length === 0) return;
    const now = new Map<number, Counted>();
    let resident = 0;
    for (const entry of members) {
      const memory = memoryOf(entry.pid);
      resident += memory.residentBytes;
      this.#peakBytes = Math.max(this.#peakBytes, memory.highWaterBytes);
      now.set(entry.pid, { parent: entry.parent, cpuTicks: entry.cpuTicks, ...ioOf(entry.pid) });
    }
    this.#peakBytes = Math.max(this.#peakBytes, resident);
    for (const [pid, counted] of this.#last) {
      if (!now.has(pid) && !this.#last.has(counted.parent)) this.#addGone(counted);
    }
    this.#last = now;
    this.#total(now);
  }

  /** `exact` is the runtime's count at exit. */
  read(exact: { cpuMs: number; readBytes: number; writtenBytes: number } | undefined): Usage {
    const usage: Usage = {};
    const source: NonNullable<Usage["source"]> = {};
    if (this.#peakBytes > 0) {
      usage.peak_ram_mb = this.#peakBytes / MIB;
      source.ram = "proc";
    }
    if (exact) {
      usage.cpu_ms = Math.max(exact.cpuMs, 0);
      usage.disk_read_bytes = Math.max(exact.readBytes, 0);
      usage.disk_write_bytes = Math.max(exact.writtenBytes, 0);
      source.cpu = "rusage";
      source.disk = "rusage";
    }
    const cpuMs = this.#cpuTicks * TICK_MS;
    // Daemons that nobody waited for are seen only by the samples.
    if (this.#peakBytes > 0 && cpuMs > (usage.cpu_ms ?? -1) + TICK_MS) {
      usage.cpu_ms = cpuMs;
      source.cpu = "proc";
    }
    if (!exact && this.#readBytes !== undefined && this.#writtenBytes !== undefined) {
      usage.disk_read_bytes = this.#readBytes;
      usage.disk_write_bytes = this.#writtenBytes;
      source.disk = "proc";
    }
    return { ...usage, source };
  }

  #addGone(counted: Counted): void {
    this.#gone.cpuTicks += counted.cpuTicks;
    this.#gone.readBytes += counted.readBytes ?? 0;
    this.#gone.writtenBytes += counted.writtenBytes ?? 0;
  }

  #total(now: ReadonlyMap<number, Counted>): void {
    let { cpuTicks, readBytes, writtenBytes } = this.#gone;
    let known = false;
    for (const counted of now.values()) {
      cpuTicks += counted.cpuTicks;
      if (counted.readBytes === undefined || counted.writtenBytes === undefined) continue;
      known = true;
      readBytes += counted.readBytes;
      writtenBytes += counted.writtenBytes;
    }
    this.#cpuTicks = Math.max(this.#cpuTicks, cpuTicks);
    if (!known) return;
    this.#readBytes = Math.max(this.#readBytes ?? 0, readBytes);
    this.#writtenBytes = Math.max(this.#writtenBytes ?? 0, writtenBytes);
  }
}

function memoryOf(pid: number): { residentBytes: number; highWaterBytes: number } {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
    return { residentBytes: kib("VmRSS") * 1024, highWaterBytes: kib("VmHWM") * 1024 };
  } catch {
    return { residentBytes: 0, highWaterBytes: 0 };
  }
}

/** Bytes that reached or left a disk; unknown where we may not look. */
function ioOf(pid: number): Pick<Counted, "readBytes" | "writtenBytes"> {
  try {
    const text = readFileSync(`/proc/${pid}/io`, "utf8");
    return { readBytes: lineOf(text, "read_bytes"), writtenBytes: lineOf(text, "write_bytes") };
  } catch {
    return { readBytes: undefined, writtenBytes: undefined };
  }
}

function lineOf(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}: (\\d+)$`, "m").exec(text);
  return match ? Number(match[1]) : undefined;
}
