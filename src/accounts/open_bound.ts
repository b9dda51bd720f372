/**
 * How many streams or sockets may be open at once for people who have shown nothing: by address group,
 * so that one cannot take everybody's place, and in all, so that many together cannot take the server's.
 */
import { addressGroup } from "./address_group.ts";
import { TooManyOpen } from "./refused.ts";

export interface OpenBoundOptions {
  /** "live streams", for the sentence. */
  what: string;
  each: number;
  all: number;
  /** What who is refused is told to wait. */
  retryAfterSeconds: number;
}

export class OpenBound {
  readonly #options: OpenBoundOptions;
  readonly #groups = new Map<string, number>();
  #all = 0;

  constructor(options: OpenBoundOptions) {
    this.#options = options;
  }

  /** How many are open. */
  get size(): number {
    return this.#all;
  }

  /** Takes a place, and returns what gives it back, however often it is called. Throws TooManyOpen. */
  enter(address: string | null | undefined): () => void {
    const { what, each, all, retryAfterSeconds } = this.#options;
    const group = addressGroup(address);
    const own = this.#groups.get(group) ?? 0;
    if (own >= each) throw new TooManyOpen("address", what, retryAfterSeconds);
    if (this.#all >= all) throw new TooManyOpen("server", what, retryAfterSeconds);
    this.#groups.set(group, own + 1);
    this.#all += 1;
    let inside = true;
    return () => {
      if (inside) this.#leave(group);
      inside = false;
    };
  }

  #leave(group: string): void {
    this.#all -= 1;
    const left = (this.#groups.get(group) ?? 0) - 1;
    if (left > 0) this.#groups.set(group, left);
    else this.#groups.delete(group);
  }
}
