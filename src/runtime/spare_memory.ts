/**
 * Gives memory back while the process has nothing to do. JavaScriptCore lets garbage grow with the
 * memory that the machine has: on 24 GiB a server whose window held 65 MB stood at 450 MB after a busy
 * minute, and kept them. To collect all of it stops the process for 0.1 s, so nobody waits for it only
 * where nobody works.
 */
import process from "node:process";

const EVERY_MS = 1_000;
/** Idle: less than this part of the time on a processor, of all threads. */
const IDLE_SHARE = 0.1;
/** Below this nothing is done. */
const ENOUGH_BYTES = 200 * 1024 * 1024;
/** Nor before it has grown so much since the last time: what is left may all be in use. */
const GROWTH = 1.15;

export interface SpareMemoryOptions {
  everyMs?: number;
  enoughBytes?: number;
  /** Of all threads, since the start. */
  cpuMs?(): number;
  residentBytes?(): number;
}

/** `collect` frees what it can before it returns. Runs until the returned call; keeps no process alive. */
export function spareMemory(collect: () => void, options: SpareMemoryOptions = {}): () => void {
  const { everyMs = EVERY_MS, enoughBytes = ENOUGH_BYTES } = options;
  const { cpuMs = processCpuMs, residentBytes = process.memoryUsage.rss } = options;
  let usedMs = cpuMs();
  let least = 0;
  const timer = setInterval(() => {
    const before = usedMs;
    usedMs = cpuMs();
    if (usedMs - before > everyMs * IDLE_SHARE) return;
    const resident = residentBytes();
    if (resident < enoughBytes || resident < least * GROWTH) return;
    collect();
    least = residentBytes();
    // What it took was no work.
    usedMs = cpuMs();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
