/**
 * Rollups of settled buckets, kept in memory: a page about a week reads what is new of it, and not the week. Right
 * for one revision of what is settled; another forgets all.
 */
import type { GroupedCell } from "./read_cells.ts";

/** Numbers that are kept, of about eight bytes each. A page of background jobs over a week is some 500,000. */
const NUMBERS_MAX = 8_000_000;
/** A cell without its histogram. */
const CELL_NUMBERS = 16;

interface Entry {
  buckets: Map<number, readonly GroupedCell[]>;
  numbers: number;
}

export class CellMemory {
  readonly #max: number;
  /** The one used last comes last. */
  readonly #entries = new Map<string, Entry>();
  #revision = -1;
  #numbers = 0;

  constructor(max = NUMBERS_MAX) {
    this.#max = max;
  }

  get numbers(): number {
    return this.#numbers;
  }

  /** By bucket, what is known of a question: nothing where it is asked as of an older revision. */
  of(key: string, revision: number): ReadonlyMap<number, readonly GroupedCell[]> {
    if (revision > this.#revision) this.#forget(revision);
    const entry = revision === this.#revision ? this.#entries.get(key) : undefined;
    if (entry === undefined) return NOTHING;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.buckets;
  }

  /** @param wanted the buckets of the question: what lies outside goes, where it has become the greater part */
  keep(
    { key, revision, wanted }: { key: string; revision: number; wanted: readonly number[] },
    found: ReadonlyMap<number, readonly GroupedCell[]>,
  ): void {
    // Read before a change that somebody else knows of already.
    if (revision !== this.#revision) return;
    const before = this.#entries.get(key);
    const buckets = new Map([...(before?.buckets ?? []), ...found]);
    if (buckets.size > 2 * wanted.length) {
      const asked = new Set(wanted);
      for (const bucket of buckets.keys()) if (!asked.has(bucket)) buckets.delete(bucket);
    }
    const numbers = numbersOf(buckets.values());
    this.#numbers += numbers - (before?.numbers ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { buckets, numbers });
    this.#bound();
  }

  #bound(): void {
    for (const [key, { numbers }] of this.#entries) {
      if (this.#numbers <= this.#max) return;
      this.#entries.delete(key);
      this.#numbers -= numbers;
    }
  }

  #forget(revision: number): void {
    this.#entries.clear();
    this.#numbers = 0;
    this.#revision = revision;
  }
}

const NOTHING: ReadonlyMap<number, readonly GroupedCell[]> = new Map();

function numbersOf(buckets: Iterable<readonly GroupedCell[]>): number {
  let sum = 0;
  for (const cells of buckets) {
    sum += CELL_NUMBERS;
    for (const { histogram } of cells) sum += CELL_NUMBERS + 2 * histogram.bins.length;
  }
  return sum;
}
