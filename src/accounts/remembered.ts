/**
 * What was read from the database about a key, until somebody says that it changed. A read that was
 * under way when something changed is done again: it may have seen the state before.
 */

export interface RememberedOptions<T> {
  read(key: string): Promise<T | null>;
  max: number;
  /** Even where nobody says so, nothing is believed for longer. */
  maxAgeMs: number;
  now(): number;
}

const TRIES_MAX = 5;

export class Remembered<T> {
  readonly #options: RememberedOptions<T>;
  readonly #kept = new Map<string, { value: T; at: number }>();
  readonly #reading = new Map<string, Promise<T | null>>();
  #changes = 0;

  constructor(options: RememberedOptions<T>) {
    this.#options = options;
  }

  /** Null where there is nothing; that is asked anew each time. */
  async get(key: string): Promise<T | null> {
    const kept = this.peek(key);
    if (kept !== undefined) return kept;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(key).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  /** Without asking anybody. */
  peek(key: string): T | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#options.now() - kept.at <= this.#options.maxAgeMs) return kept.value;
    this.#kept.delete(key);
    return undefined;
  }

  forget(concerns: (value: T, key: string) => boolean): void {
    this.#changes += 1;
    for (const [key, { value }] of this.#kept) if (concerns(value, key)) this.#kept.delete(key);
  }

  async #read(key: string): Promise<T | null> {
    for (let tries = 1; ; tries++) {
      const changes = this.#changes;
      const value = await this.#options.read(key);
      const isCurrent = changes === this.#changes;
      if (!isCurrent && tries < TRIES_MAX) continue;
      if (isCurrent && value !== null) this.#keep(key, value);
      return value;
    }
  }

  #keep(key: string, value: T): void {
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size >= this.#options.max && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, { value, at: this.#options.now() });
  }
}
