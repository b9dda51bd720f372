/** Chance that a number repeats: the same seed makes the same choices in the same order. */

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, good enough to choose by. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Dice that belong to what the words name, whoever throws before or beside them. */
  static of(seed: number, ...words: (string | number)[]): Dice {
    const dice = new Dice(hashOf(words.join("\n")) ^ seed);
    dice.next();
    return dice;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!;
  }

  /** One of the keys, each as often as its number says. */
  weighted<K extends string>(weights: Record<K, number>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries[0]![0];
  }

  /** About 1: half are below, none is 0, few are far above (log-normal). */
  spread(sigma: number): number {
    // 1 − next() is never 0, of which there is no logarithm.
    const far = Math.sqrt(-2 * Math.log(1 - this.next()));
    return Math.exp(sigma * far * Math.cos(2 * Math.PI * this.next()));
  }

  /** Dice of their own for somebody else, so that neither disturbs the other's order. */
  fork(): Dice {
    return new Dice(this.between(0, 2 ** 31));
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
