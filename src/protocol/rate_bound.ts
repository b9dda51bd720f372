/** A token bucket: `burst` at once, `perSecond` in the long run. */
export class RateBound {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(limits: { perSecond: number; burst: number }, nowMs: number) {
    this.#perMs = limits.perSecond / 1000;
    this.#burst = limits.burst;
    this.#tokens = limits.burst;
    this.#at = nowMs;
  }

  /** False where the bound is passed. `nowMs` from a monotonic clock. */
  take(amount: number, nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#at) * this.#perMs);
    this.#at = nowMs;
    this.#tokens -= amount;
    return this.#tokens >= 0;
  }
}
