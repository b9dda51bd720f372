/**
 * Control groups, version 2, where this worker may make some: each attempt gets its own, which counts
 * exactly and kills whatever is in it. Everything takes the folder of the tree as an argument, so
 * that a test can lay one out.
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Usage } from "../../messages/frames.ts";

const MIB = 1024 * 1024;
const HOME = "signalbox-worker";

export class JobCgroup {
  readonly path: string;
  readonly #home: string;
  readonly #pid: number;

  /** `home`: the group that the worker itself lives in. */
  constructor(path: string, home: string, pid = process.pid) {
    this.path = path;
    this.#home = home;
    this.#pid = pid;
  }

  /**
   * Runs `start`, which makes a process, inside the group: a child begins where its parent is, so
   * the worker steps in and out again, and not one fork of the job happens outside.
   */
  async around<T>(start: () => Promise<T>): Promise<T> {
    this.#enter(this.path);
    try {
      return await start();
    } finally {
      this.#enter(this.#home);
    }
  }

  /** What the kernel counted; absent where a controller is not at hand. */
  read(): Usage {
    const usage: Usage = {};
    const source: NonNullable<Usage["source"]> = {};
    const peak = this.#number("memory.peak");
    if (peak !== undefined) {
      usage.peak_ram_mb = peak / MIB;
      source.ram = "cgroup";
    }
    const cpu = fieldOf(this.#text("cpu.stat"), "usage_usec");
    if (cpu !== undefined) {
      usage.cpu_ms = cpu / 1000;
      source.cpu = "cgroup";
    }
    const io = this.#text("io.stat");
    if (io !== undefined) {
      usage.disk_read_bytes = sumOf(io, "rbytes");
      usage.disk_write_bytes = sumOf(io, "wbytes");
      source.disk = "cgroup";
    }
    const kills = fieldOf(this.#text("memory.events"), "oom_kill");
    if (kills !== undefined) {
      usage.oom_killed = kills > 0;
      source.oom = "cgroup";
    }
    return { ...usage, source };
  }

  kill(): void {
    try {
      writeFileSync(join(this.path, "cgroup.kill"), "1");
    } catch {
      // Linux before 5.14: the process tree is killed anyway.
    }
  }

  /** The kernel refuses while something lives in it. */
  remove(): boolean {
    try {
      rmdirSync(this.path);
      return true;
    } catch {
      return false;
    }
  }

  #enter(folder: string): void {
    writeFileSync(join(folder, "cgroup.procs"), String(this.#pid));
  }

  #text(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), "utf8");
    } catch {
      return undefined;
    }
  }

  #number(name: string): number | undefined {
    const text = this.#text(name);
    const value = text === undefined ? Number.NaN : Number.parseInt(text, 10);
    return Number.isFinite(value) ? value : undefined;
  }
}

export class Cgroups {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get folder(): string {
    return this.#folder;
  }

  make(job: string, attempt: number): JobCgroup {
    const path = join(this.#folder, `signalbox-job-${job}.${attempt}`);
    mkdirSync(path, { recursive: true });
    return new JobCgroup(path, join(this.#folder, HOME));
  }
}

/**
 * The groups below our own, or null where we may not make any or the memory controller is not
 * delegated. A group with processes cannot hand controllers to groups below it, so the worker
 * first moves into a leaf of its own, if it is alone in its group.
 */
export function findCgroups(own = ownCgroupFolder(), pid = process.pid): Cgroups | null {
  if (own === null) return null;
  try {
    const offered = readFileSync(join(own, "cgroup.controllers"), "utf8").trim().split(/\s+/);
    if (!offered.includes("memory")) return null;
    const inside = readFileSync(join(own, "cgroup.procs"), "utf8").trim().split(/\s+/);
    if (inside.some((id) => id !== "" && Number(id) !== pid)) return null;
    const leaf = join(own, HOME);
    mkdirSync(leaf, { recursive: true });
    writeFileSync(join(leaf, "cgroup.procs"), String(pid));
    const wanted = ["memory", "cpu", "io", "pids"].filter((name) => offered.includes(name));
    writeFileSync(join(own, "cgroup.subtree_control"), wanted.map((name) => `+${name}`).join(" "));
    return new Cgroups(own);
  } catch {
    return null;
  }
}

function ownCgroupFolder(): string | null {
  try {
    const line = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"));
    const mount = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(
      readFileSync("/proc/self/mountinfo", "utf8"),
    );
    return line && mount ? join(mount[1]!, line[1]!) : null;
  } catch {
    return null;
  }
}

function fieldOf(text: string | undefined, name: string): number | undefined {
  const match = text === undefined ? null : new RegExp(`^${name} (\\d+)$`, "m").exec(text);
  return match ? Number(match[1]) : undefined;
}

function sumOf(text: string, name: string): number {
  let sum = 0;
  for (const match of text.matchAll(new RegExp(`\\b${name}=(\\d+)`, "g"))) sum += Number(match[1]);
  return sum;
}
