/**
 * What this server saw end since it started, by name: the counters that Prometheus scrapes. Kept as plain
 * numbers, because it is touched for every job.
 */
import type { End, Lease } from "../lease.ts";

/** Upper ends, seconds; beyond every threshold there is (`core/background/thresholds.ts`). */
export const RUN_SECONDS = [
  ...[0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600],
] as const;

export interface NameTally {
  org: number;
  /** 0: names that are not counted by themselves. */
  name: number;
  succeeded: number;
  failed: number;
  /** Runs by band of `RUN_SECONDS`, the last beyond all of them. */
  bands: number[];
  seconds: number;
  items: { success: number; failed: number; skipped: number };
}

export class RunTally {
  readonly #byName = new Map<number, NameTally>();
  /** By organization: the others. */
  readonly #others = new Map<number, NameTally>();
  readonly #isCounted: (name: number) => boolean;

  constructor(isCounted: (name: number) => boolean) {
    this.#isCounted = isCounted;
  }

  add(ends: readonly { lease: Lease; end: End }[]): void {
    for (const { lease, end } of ends) {
      const { outcome, startedAt, runMs, items } = "final" in end ? end.final : end.returned;
      const isGood = outcome === "succeeded";
      const hasBegun = startedAt !== null || runMs !== null;
      const isBad =
        outcome === "failed" || outcome === "timed_out" || (outcome === "lost" && hasBegun);
      if (!isGood && !isBad && items === null) continue;
      const tally = this.#of(lease);
      if (isGood) tally.succeeded += 1;
      else if (isBad) tally.failed += 1;
      if ((isGood || isBad) && runMs !== null) observe(tally, runMs / 1_000);
      if (items === null) continue;
      tally.items.success += items.success;
      tally.items.failed += items.failed;
      tally.items.skipped += items.skipped;
    }
  }

  all(): NameTally[] {
    return [...this.#byName.values(), ...this.#others.values()];
  }

  #of({ org, name }: Lease): NameTally {
    const known = this.#byName.get(name);
    if (known) return known;
    if (this.#isCounted(name)) return made(this.#byName, name, { org, name });
    return this.#others.get(org) ?? made(this.#others, org, { org, name: 0 });
  }
}

function made(
  into: Map<number, NameTally>,
  key: number,
  of: Pick<NameTally, "org" | "name">,
): NameTally {
  const tally: NameTally = {
    ...{ ...of, succeeded: 0, failed: 0, seconds: 0 },
    bands: new Array<number>(RUN_SECONDS.length + 1).fill(0),
    items: { success: 0, failed: 0, skipped: 0 },
  };
  into.set(key, tally);
  return tally;
}

function observe(tally: NameTally, seconds: number): void {
  let band = 0;
  while (band < RUN_SECONDS.length && seconds > RUN_SECONDS[band]!) band += 1;
  tally.bands[band]! += 1;
  tally.seconds += seconds;
}
