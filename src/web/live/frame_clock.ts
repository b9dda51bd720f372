/**
 * When the next frame is printed: at most one every so often, counted from when the last was due. Where each
 * also paid for how late the last was, one late frame made all that followed as late.
 *
 * Times are those of `performance.now()`.
 */
export class FrameClock {
  readonly #everyMs: number;
  readonly #print: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the frame that waits is due; without one, when the last was. */
  #due = Number.NEGATIVE_INFINITY;
  #lastDue = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number, print: () => void) {
    this.#everyMs = everyMs;
    this.#print = print;
  }

  /** Whether a frame waits for its time. */
  get waits(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether frames follow each other as closely as they may. */
  get isSteady(): boolean {
    return performance.now() - this.#lastDue < 2 * this.#everyMs;
  }

  /** When it is due: after `patienceMs`, or when its time has come; earlier, where one waits already. */
  schedule(patienceMs: number): number {
    const now = performance.now();
    const due = Math.max(now + patienceMs, this.#lastDue + this.#everyMs);
    if (this.#timer && this.#due <= due) return this.#due;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(this.#print, due - now);
    return due;
  }

  /** The frame that waited is being printed: what comes from now on needs another. */
  begin(): void {
    this.stop();
    this.#lastDue = this.#due;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
