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
    this.#fill(nowMs);
    this.#tokens -= amount;
    return this.#tokens >= 0;
  }

  /** How many may be taken now. Who takes no more owes nothing: under a flood as many as are due pass. */
  room(nowMs: number): number {
    this.#fill(nowMs);
    return Math.max(0, Math.floor(this.#tokens));
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#at) * this.#perMs);
    this.#at = nowMs;
  }
}
