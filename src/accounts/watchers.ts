/** Streams and sockets that must end with the credential that opened them. */

/** The longest that a timer of JavaScript can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface Watched {
  /** Epoch milliseconds; null: until it is revoked. */
  expiresAt: number | null;
  /** Whether the credential still means what it did. Throws where nobody can say. */
  holds(): Promise<boolean>;
  end(): void;
}

export class Watchers {
  readonly #now: () => number;
  readonly #all = new Map<Watched, ReturnType<typeof setTimeout> | undefined>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Looks once at once: the credential may have changed since it was shown. */
  add(watched: Watched): () => void {
    this.#all.set(watched, undefined);
    this.#wait(watched);
    void this.#look(watched);
    return () => this.#remove(watched);
  }

  lookAtAll(): void {
    for (const watched of this.#all.keys()) void this.#look(watched);
  }

  /** Ends nothing: whoever stops the server ends what is open. */
  stop(): void {
    for (const watched of this.#all.keys()) this.#remove(watched);
  }

  get size(): number {
    return this.#all.size;
  }

  #wait(watched: Watched): void {
    if (watched.expiresAt === null) return;
    const ms = Math.max(0, watched.expiresAt - this.#now());
    const act = () => (ms > TIMER_MAX_MS ? this.#wait(watched) : this.#end(watched));
    this.#all.set(watched, setTimeout(act, Math.min(ms, TIMER_MAX_MS)));
  }

  async #look(watched: Watched): Promise<void> {
    // Where nobody can say, the next look will: they come until the database is back.
    const holds = await watched.holds().catch(() => true);
    if (!holds) this.#end(watched);
  }

  #end(watched: Watched): void {
    if (!this.#remove(watched)) return;
    watched.end();
  }

  #remove(watched: Watched): boolean {
    clearTimeout(this.#all.get(watched));
    return this.#all.delete(watched);
  }
}
