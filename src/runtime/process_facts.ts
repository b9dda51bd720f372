/** What this process takes of its machine; the same words on Bun and on Deno. */
import process from "node:process";

export interface ProcessFacts {
  /** "Bun 1.4.5". */
  runtime: string;
  uptimeSeconds: number;
  residentBytes: number;
  heapBytes: number;
  cpuSeconds: number;
}

export function processFacts(): ProcessFacts {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const { bun, deno } = process.versions;
  return {
    runtime: bun ? `Bun ${bun}` : `Deno ${deno ?? ""}`.trim(),
    uptimeSeconds: process.uptime(),
    residentBytes: rss,
    heapBytes: heapUsed,
    cpuSeconds: (user + system) / 1e6,
  };
}
