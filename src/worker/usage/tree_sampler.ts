/** Samples the process trees of all running jobs with one reading of `/proc` for all. */
import { type ProcessTable, readProcesses } from "../exec/process_table.ts";

const EVERY_MS = 200;
/** A new process is looked at soon, so that a short one is seen at all. */
const FIRST_MS = 12;
/** Sampling takes at most about a tenth of this thread, however many processes there are. */
const COST_FACTOR = 10;

export class TreeSampler {
  readonly #listeners = new Set<(table: ProcessTable) => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = 0;
  #delayMs = FIRST_MS;
  #costMs = 0;

  /** Calls `listener` with each reading, until the returned function is called. */
  add(listener: (table: ProcessTable) => void): () => void {
    this.#listeners.add(listener);
    this.#delayMs = Math.max(FIRST_MS, this.#costMs * COST_FACTOR);
    this.#arm();
    return () => this.#listeners.delete(listener);
  }

  #arm(): void {
    if (this.#listeners.size === 0) return;
    const due = performance.now() + this.#delayMs;
    if (this.#timer !== undefined) {
      if (this.#dueAt <= due) return;
      clearTimeout(this.#timer);
    }
    this.#dueAt = due;
    this.#timer = setTimeout(() => this.#tick(), this.#delayMs);
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#listeners.size === 0) return;
    const began = performance.now();
    const table = readProcesses();
    for (const listener of this.#listeners) listener(table);
    this.#costMs = performance.now() - began;
    this.#delayMs = Math.max(Math.min(EVERY_MS, this.#delayMs * 2), this.#costMs * COST_FACTOR);
    this.#arm();
  }
}
