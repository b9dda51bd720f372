/** When what was submitted in the past: each source in its own rhythm, all together in the order of time. */
import { evaluated } from "../cast/firmware.ts";
import type { Cast, Source } from "../cast/organizations.ts";
import type { Submission } from "../cast/task.ts";
import { Dice } from "../dice.ts";
import { DAY_MS, pauseMs, tempoAt } from "../rhythm.ts";
import { Heap } from "./heap.ts";

export interface Arrival {
  at: number;
  submission: Submission;
}

interface Next {
  at: number;
  cast: Cast;
  source: Source;
  dice: Dice;
  run: number;
}

/** @param window.pace 1: as often as in the living demo */
export function* arrivals(
  casts: readonly Cast[],
  seed: number,
  { from, to, pace }: { from: number; to: number; pace: number },
): Generator<Arrival, void, void> {
  const heap = new Heap<Next>();
  const putNext = (next: Next) => {
    const tempo = tempoAt(next.at, next.cast.morning, DAY_MS) * pace;
    const at = next.at + pauseMs(next.source.everySeconds, tempo, next.dice.next());
    if (at < to) heap.put({ ...next, at, run: next.run + 1 });
  };
  for (const cast of casts) {
    for (const source of cast.sources) {
      const dice = Dice.of(seed, "past", from, cast.name, source.name);
      putNext({ at: from, cast, source, dice, run: 0 });
    }
  }
  for (let next = heap.take(); next; next = heap.take()) {
    yield { at: next.at, submission: next.source.make(next.dice, next.run) };
    putNext(next);
  }
}

/** Jobs a second at pace 1, on the mean of a day, those that jobs add included. */
export function usualJobsPerSecond(casts: readonly Cast[], seed: number): number {
  const TRIES = 200;
  const dice = Dice.of(seed, "usual");
  let rate = 0;
  for (const { sources } of casts) {
    for (const { everySeconds, make } of sources) {
      let jobs = 0;
      for (let run = 0; run < TRIES; run++) jobs += sizeOf(make(dice, run));
      rate += jobs / TRIES / everySeconds;
    }
  }
  return rate * MEAN_TEMPO;
}

/** Of `tempoAt` over a day. */
const MEAN_TEMPO =
  Array.from({ length: 1_440 }, (_, minute) => tempoAt(minute, 0, 1_440)).reduce((a, b) => a + b) /
  1_440;

function sizeOf({ workflow, jobs = [] }: Submission): number {
  const members = workflow?.jobs ?? [];
  const added = members
    .filter(({ name }) => name === "evaluate-firmware")
    .map(({ payload }) => evaluated((payload as { env: Record<string, string> }).env).length);
  return jobs.length + members.length + added.reduce((a, b) => a + b, 0);
}
