/**
 * `Idempotency-Key`: the first request with a key is worked on, the others get its answer.
 *
 * Work is done at most once. The key is claimed before the work and the answer kept after it; a
 * server that dies between the two leaves a key without answer, and who repeats the request is told
 * that nobody knows (`unknown`) rather than given a second job.
 */
import { createHash } from "node:crypto";
import type { Database } from "../db/client.ts";
import {
  claimKey,
  keepAnswer,
  pruneKeys,
  readKey,
  releaseKey,
} from "../db/statements/idempotency.ts";

export interface IdempotentRequest {
  caller: string;
  key: string;
  /** Whatever tells one request from another. */
  parts: readonly (string | Uint8Array)[];
}

export interface IdempotentAnswer {
  status: number;
  body: unknown;
}

export type Outcome =
  /** `replayed`: it was kept from before. */
  | { kind: "answer"; answer: IdempotentAnswer; replayed: boolean }
  /** The key came with another request. */
  | { kind: "mismatch" }
  /** Another one with this key is at it, for longer than we wait. */
  | { kind: "in_progress" }
  /** Its server went away while it worked; whether it was done cannot be told. */
  | { kind: "unknown" };

export interface Idempotency {
  /**
   * Runs `work` once for this key. `isFinal` says whether an answer is worth keeping; one that is
   * not, and an error, lets the next request with the key try again.
   */
  once(
    request: IdempotentRequest,
    work: () => Promise<IdempotentAnswer>,
    isFinal: (answer: IdempotentAnswer) => boolean,
  ): Promise<Outcome>;
  /** Forgets keys past their time, a bounded number; how many. */
  prune(): Promise<number>;
}

export interface IdempotencyOptions {
  /** How long a second request waits for the first. */
  waitMs?: number;
  /** After this long without an answer its server is taken for dead. */
  abandonedMs?: number;
}

const PRUNE_MAX = 10_000;
const POLL_FIRST_MS = 20;
const POLL_MAX_MS = 400;

export function createIdempotency(
  database: Pick<Database, "beats">,
  { waitMs = 10_000, abandonedMs = 120_000 }: IdempotencyOptions = {},
): Idempotency {
  const sql = database.beats;

  async function work(request: Claimed, run: Work, isFinal: IsFinal): Promise<Outcome> {
    const { caller, key, hash } = request;
    let answer: IdempotentAnswer;
    try {
      answer = await run();
    } catch (error) {
      await releaseKey(sql, caller, key, hash);
      throw error;
    }
    if (!isFinal(answer)) await releaseKey(sql, caller, key, hash);
    else {
      const text = JSON.stringify(answer.body ?? null);
      // The work is done: its caller gets the answer even where it cannot be kept for a repeat.
      await keepAnswer(sql, caller, key, hash, answer.status, text).catch(() => {});
    }
    return { kind: "answer", answer, replayed: false };
  }

  return {
    async once(request, run, isFinal) {
      const { caller, key } = request;
      const hash = hashOf(request.parts);
      const deadline = performance.now() + waitMs;
      for (let pauseMs = POLL_FIRST_MS; ; pauseMs = Math.min(POLL_MAX_MS, pauseMs * 2)) {
        if (await claimKey(sql, caller, key, hash)) {
          return work({ caller, key, hash }, run, isFinal);
        }
        const kept = await readKey(sql, caller, key);
        // Given back since we asked for it: try to claim it.
        if (kept === null) continue;
        if (kept.hash !== hash) return { kind: "mismatch" };
        if (kept.status !== null) {
          const answer = { status: kept.status, body: kept.answer };
          return { kind: "answer", answer, replayed: true };
        }
        if (kept.ageMs > abandonedMs) return { kind: "unknown" };
        if (performance.now() + pauseMs > deadline) return { kind: "in_progress" };
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    },
    prune: () => pruneKeys(sql, PRUNE_MAX),
  };
}

type Work = () => Promise<IdempotentAnswer>;
type IsFinal = (answer: IdempotentAnswer) => boolean;
interface Claimed {
  caller: string;
  key: string;
  hash: string;
}

function hashOf(parts: IdempotentRequest["parts"]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
