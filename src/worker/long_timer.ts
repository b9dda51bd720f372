/** A timer for any delay. `setTimeout` holds 31 bits: one of 30 days would fire after 9 ms. */

const LONGEST_MS = 24 * 3600 * 1000;

export class LongTimer {
  #handle: ReturnType<typeof setTimeout> | undefined;

  /** Runs `action` once, `delayMs` from now, by the monotonic clock. */
  constructor(delayMs: number, action: () => void) {
    const due = performance.now() + delayMs;
    const arm = () => {
      const left = due - performance.now();
      if (left <= 0) action();
      else this.#handle = setTimeout(arm, Math.min(left, LONGEST_MS));
    };
    this.#handle = setTimeout(arm, Math.min(Math.max(delayMs, 0), LONGEST_MS));
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}
