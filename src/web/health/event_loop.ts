/** How late this process comes to what is due: the longest of the last minute tells of work that blocks. */
const EVERY_MS = 500;
const KEPT = 120;

export class LoopDelay {
  readonly #late: number[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Measured from the first call on. */
  start(): void {
    if (this.#timer) return;
    let due = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#late.push(Math.max(0, now - due));
      if (this.#late.length > KEPT) this.#late.shift();
      due = now + EVERY_MS;
    }, EVERY_MS);
    this.#timer.unref?.();
  }

  /** Milliseconds; null before anything was measured. */
  get longest(): number | null {
    return this.#late.length === 0 ? null : Math.max(...this.#late);
  }
}

/** One for the process: all that run in it share its loop. */
export const loopDelay = new LoopDelay();
