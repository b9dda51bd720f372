/** The machine as a whole, once a second, from `/proc`: heartbeats and network peaks. */
import { readFileSync } from "node:fs";
import os from "node:os";
import type { WorkerMetrics } from "../../messages/frames.ts";

const EVERY_MS = 1000;
const SECTOR_BYTES = 512;
/** Whole disks; partitions and mapped devices would count the same bytes again. */
const DISK = /^(sd[a-z]+|hd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

interface Reading {
  at: number;
  cpuBusy: number;
  cpuAll: number;
  diskBytes: number | undefined;
  networkBytes: number | undefined;
}

export class HostMetrics {
  readonly #listeners = new Set<(networkMbps: number) => void>();
  #last: Reading | null = null;
  #latest: WorkerMetrics = {};
  #timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    this.#last = readHost();
    this.#latest = memoryMetrics();
    this.#timer = setInterval(() => this.#tick(), EVERY_MS);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  latest(): WorkerMetrics {
    return this.#latest;
  }

  /** Tells each second's network rate, until the returned function is called. */
  onNetwork(listener: (mbps: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tick(): void {
    const now = readHost();
    const before = this.#last;
    this.#last = now;
    if (!before) return;
    const seconds = (now.at - before.at) / 1000;
    if (seconds <= 0) return;
    const metrics: WorkerMetrics = memoryMetrics();
    const all = now.cpuAll - before.cpuAll;
    if (all > 0) {
      const busy = (now.cpuBusy - before.cpuBusy) / all;
      metrics.cpu_pct = round(Math.min(100, Math.max(0, busy * 100)));
    }
    const disk = difference(before.diskBytes, now.diskBytes);
    if (disk !== undefined) metrics.disk_mbps = round(disk / 1e6 / seconds);
    const network = difference(before.networkBytes, now.networkBytes);
    if (network !== undefined) {
      metrics.network_mbps = round((network * 8) / 1e6 / seconds);
      for (const listener of this.#listeners) listener(metrics.network_mbps);
    }
    this.#latest = metrics;
  }
}

/** OOM kills of this machine since it started, or undefined where the kernel does not say. */
export function oomKills(): number | undefined {
  const match = /^oom_kill (\d+)$/m.exec(read("/proc/vmstat") ?? "");
  return match ? Number(match[1]) : undefined;
}

function memoryMetrics(): WorkerMetrics {
  const text = read("/proc/meminfo");
  const mib = (name: string) => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text ?? "");
    return match ? Math.round(Number(match[1]) / 1024) : undefined;
  };
  return {
    ram_total_mb: mib("MemTotal") ?? Math.round(os.totalmem() / 1024 / 1024),
    ram_free_mb: mib("MemAvailable") ?? Math.round(os.freemem() / 1024 / 1024),
  };
}

function readHost(): Reading {
  const [busy, all] = cpuTimes();
  return {
    at: performance.now(),
    cpuBusy: busy,
    cpuAll: all,
    diskBytes: diskBytes(read("/proc/diskstats")),
    networkBytes: networkBytes(read("/proc/net/dev")),
  };
}

/** proc_stat(5): user nice system idle iowait irq softirq steal; guest time stands in user. */
function cpuTimes(): [number, number] {
  const line = /^cpu\s+(.*)$/m.exec(read("/proc/stat") ?? "");
  if (!line) return [0, 0];
  const times = line[1]!.split(/\s+/).slice(0, 8).map(Number);
  const all = times.reduce((sum, time) => sum + time, 0);
  return [all - (times[3] ?? 0) - (times[4] ?? 0), all];
}

export function diskBytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  let sectors = 0;
  for (const line of text.split("\n")) {
    const field = line.trim().split(/\s+/);
    if (DISK.test(field[2] ?? "")) sectors += Number(field[5]) + Number(field[9]);
  }
  return sectors * SECTOR_BYTES;
}

/** Received and sent, without what stays on this machine. */
export function networkBytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  let bytes = 0;
  for (const line of text.split("\n").slice(2)) {
    const [name, rest] = line.split(":");
    if (rest === undefined || name!.trim() === "lo") continue;
    const field = rest.trim().split(/\s+/).map(Number);
    bytes += (field[0] ?? 0) + (field[8] ?? 0);
  }
  return bytes;
}

/** Undefined where a counter went back: a device left. */
function difference(before: number | undefined, now: number | undefined): number | undefined {
  if (before === undefined || now === undefined || now < before) return undefined;
  return now - before;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
