/** Waiting jobs for tests of what chooses among them. */
import { orderOfId } from "../../src/core/ids.ts";
import type { Waiting } from "../../src/engine/window.ts";

let made = 0;

export function aWaiting(over: Partial<Waiting> = {}): Waiting {
  made += 1;
  const id = over.id ?? `${String(made).padStart(8, "0")}-0000-7000-8000-000000000000`;
  return {
    id,
    order: orderOfId(id),
    org: 1,
    queue: 1,
    name: 1,
    shape: 1,
    rank: 0,
    readyAt: 0,
    priority: 0,
    dependents: 0,
    inputWorkers: [],
    key: null,
    rejectedBy: [],
    ...over,
  };
}
