/** Waiting jobs for tests of what chooses among them. */
import type { Waiting } from "../../src/engine/window.ts";

let made = 0;

export function aWaiting(over: Partial<Waiting> = {}): Waiting {
  made += 1;
  return {
    id: `00000000-0000-7000-8000-${String(made).padStart(12, "0")}`,
    org: 1,
    queue: 1,
    name: 1,
    shape: 1,
    rank: 0,
    readyAt: 0,
    priority: 0,
    dependents: 0,
    inputWorkers: [],
    rejectedBy: [],
    ...over,
  };
}
