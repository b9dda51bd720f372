/** Who holds a worker's folder: see src/worker/data_folder.ts, which writes the lock. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bootId, isDead, readProcess } from "../../worker/exec/process_table.ts";

/** The living worker's process, or undefined. Only Linux can tell; elsewhere nobody is found. */
export function findHolder(folder: string): number | undefined {
  try {
    const lock = JSON.parse(readFileSync(join(folder, "lock"), "utf8")) as {
      pid: number;
      start_ticks: number;
      boot: string;
    };
    const found = readProcess(lock.pid);
    if (lock.boot !== bootId() || !found || isDead(found)) return undefined;
    return found.startTicks === lock.start_ticks ? lock.pid : undefined;
  } catch {
    return undefined;
  }
}
