/** What a worker offers, held against what its token allows, in words for whoever started it. */
import type { WorkerCeiling } from "../db/statements/worker_tokens.ts";

export interface Offered {
  pool: string;
  concurrency: number;
  features: readonly string[];
  kinds: readonly string[];
}

/** One sentence for each thing that is too much; null where nothing is. */
export function aboveCeiling(ceiling: WorkerCeiling, offered: Offered): string | null {
  const { pool, features, kinds, slots_max: slots } = ceiling;
  const sentences: string[] = [];
  if (pool !== null && pool !== offered.pool) {
    sentences.push(
      `This token allows the pool "${pool}" only: start the worker with --pool ${pool}, not "${offered.pool}".`,
    );
  }
  if (slots !== null && offered.concurrency > slots) {
    sentences.push(
      `This token allows ${slots} slots: start the worker with --slots ${slots}, not ${offered.concurrency}.`,
    );
  }
  const foreign = features === null ? [] : offered.features.filter((f) => !features.includes(f));
  if (foreign.length > 0) {
    sentences.push(`This token allows ${list("features", features!)}, not ${named(foreign)}.`);
  }
  const others = kinds === null ? [] : offered.kinds.filter((kind) => !kinds.includes(kind));
  if (others.length > 0) {
    sentences.push(`This token allows ${list("kinds of jobs", kinds!)}, not ${named(others)}.`);
  }
  return sentences.length === 0 ? null : sentences.join(" ").slice(0, 2_000);
}

function list(what: string, allowed: readonly string[]): string {
  return allowed.length === 0 ? `no ${what}` : `the ${what} ${named(allowed)} only`;
}

function named(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(", ");
}
