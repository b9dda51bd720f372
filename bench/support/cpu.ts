/** Processor time and memory of processes, from /proc. Zero where there is no /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Kernel ticks a second; 100 on every Linux there is. */
const TICKS = 100;

function stat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** User and system milliseconds of one process. */
export function cpuMs(pid: number): number {
  const fields = stat(pid);
  return fields ? ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1000 : 0;
}

/** Of a process, its living children, and the children that it has waited for. */
export function cpuMsWithChildren(pid: number): number {
  const fields = stat(pid);
  if (!fields) return 0;
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  let total = (own / TICKS) * 1000;
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name) && Number(stat(Number(name))?.[1]) === pid) total += cpuMs(Number(name));
  }
  return total;
}

/** Resident MiB. */
export function residentMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}

/** The most that was ever resident, MiB. */
export function peakResidentMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}
