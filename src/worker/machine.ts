/** What this machine has to offer. */
import { readFileSync } from "node:fs";
import os from "node:os";

const MIB = 1024 * 1024;
/** Version 2 and version 1; a limit on the container is less than the machine. */
const LIMITS = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** Cores, and MiB of RAM or of the container's limit where that is less. */
export function machineResources(): { cpus: number; ram_mb: number } {
  const limits = LIMITS.map(limitIn).filter((bytes) => bytes > 0);
  const bytes = Math.min(os.totalmem(), ...limits);
  return { cpus: os.availableParallelism(), ram_mb: Math.max(1, Math.round(bytes / MIB)) };
}

function limitIn(path: string): number {
  try {
    const bytes = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isFinite(bytes) ? bytes : 0;
  } catch {
    return 0;
  }
}
