/**
 * `Idempotency-Key`: the first request with a key does the work, the others get its answer.
 *
 * Two ways, by what the work is. A submission or a stop signs a receipt inside its own transaction: it happens
 * exactly once, however often its server is killed, and a repeat makes the answer from the receipt.
 * Everything else claims the key before and keeps the answer after; where a server dies between, the
 * next one does it again, which is why only work that may be done twice goes this way.
 */
import { createHmac } from "node:crypto";
import type { Database, Transaction } from "../db/client.ts";
import {
  claimKey,
  insertReceipt,
  type KeyName,
  keepAnswer,
  pruneKeys,
  readKey,
  releaseKey,
} from "../db/statements/idempotency.ts";
import { type Answer, type Receipt, ReceiptTaken } from "./engine.ts";

export type Outcome =
  /** `replayed`: it was kept from before. */
  | { kind: "answer"; answer: Answer; replayed: boolean }
  /** The work was committed before, with this receipt; no answer of it is kept. */
  | { kind: "receipt"; receipt: unknown }
  /** The key came with another request. */
  | { kind: "mismatch" }
  /** Another one with this key is at it, for longer than we wait. */
  | { kind: "in_progress" };

type Work = () => Promise<Answer>;
/** `kept`: the submission has written the answer with its receipt. */
type SubmittingWork = () => Promise<Answer & { kept?: boolean }>;

export interface Idempotency {
  /** Runs work that hands `receipt` to a submission of the engine. */
  withReceipt(receipt: Receipt, work: SubmittingWork): Promise<Outcome>;
  /** Runs work that may be done again. `isFinal`: whether an answer is worth keeping. */
  once(name: Receipt, work: Work, isFinal: (answer: Answer) => boolean): Promise<Outcome>;
  /** Forgets keys past their time, a bounded number; how many. */
  prune(): Promise<number>;
}

export interface IdempotencyOptions {
  /** How long a second request waits for the first. */
  waitMs?: number;
  /** After this long without an answer, who claimed a key is taken for dead. */
  abandonedMs?: number;
}

const PRUNE_MAX = 10_000;
const POLL_FIRST_MS = 20;
const POLL_MAX_MS = 400;

/**
 * Names a request; `parts` is whatever tells one from another. The hash is kept for a day and of a body
 * that may hold a password: without `secret`, which the database does not know, nobody can try guesses.
 */
export function receiptFor(
  secret: string,
  caller: string,
  key: string,
  parts: readonly (string | Uint8Array)[],
): Receipt {
  const hash = createHmac("sha256", secret);
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return { caller, key, hash: hash.digest("hex") };
}

/** Last in the transaction of a submission. Throws ReceiptTaken, which rolls it back. */
export async function signReceipt(
  tx: Transaction,
  receipt: Receipt | undefined,
  content: unknown,
): Promise<void> {
  if (receipt === undefined || (await insertReceipt(tx, receipt, content))) return;
  throw new ReceiptTaken(receipt.key);
}

export function createIdempotency(
  database: Pick<Database, "intake">,
  { waitMs = 10_000, abandonedMs = 30_000 }: IdempotencyOptions = {},
): Idempotency {
  const sql = database.intake;

  /** What the key's row says; null where there is none, or it says nothing yet. */
  async function look(name: KeyName): Promise<Outcome | null> {
    const row = await readKey(sql, name);
    if (row === null) return null;
    if (row.hash !== name.hash) return { kind: "mismatch" };
    if (row.status === null)
      return row.answer === null ? null : { kind: "receipt", receipt: row.answer };
    const answer = { status: row.status, body: row.answer };
    return { kind: "answer", answer, replayed: true };
  }

  /** The work is done: its caller gets the answer even where it cannot be kept for a repeat. */
  async function keep(name: KeyName, { status, body }: Answer): Promise<void> {
    await keepAnswer(sql, name, status, JSON.stringify(body ?? null)).catch(() => {});
  }

  async function claimed(name: KeyName, work: Work, isFinal: (answer: Answer) => boolean) {
    let answer: Answer;
    try {
      answer = await work();
    } catch (error) {
      await releaseKey(sql, name);
      throw error;
    }
    if (isFinal(answer)) await keep(name, answer);
    else await releaseKey(sql, name);
    return { kind: "answer", answer, replayed: false } as const;
  }

  return {
    async withReceipt(receipt, work) {
      try {
        const { kept, ...answer } = await work();
        // Nobody waits for it: until it is kept, a repeat makes the answer from the receipt.
        if (!kept) void keep(receipt, answer);
        return { kind: "answer", answer, replayed: false };
      } catch (error) {
        // Also what is invalid now may be so because it was done: a key that is in the workflow.
        const found = await look(receipt).catch(() => null);
        if (found !== null) return found;
        if (error instanceof ReceiptTaken) return { kind: "in_progress" };
        throw error;
      }
    },
    async once(name, work, isFinal) {
      const deadline = performance.now() + waitMs;
      for (let pauseMs = POLL_FIRST_MS; ; pauseMs = Math.min(POLL_MAX_MS, pauseMs * 2)) {
        if (await claimKey(sql, name, abandonedMs / 1000)) return claimed(name, work, isFinal);
        const found = await look(name);
        if (found !== null) return found;
        if (performance.now() + pauseMs > deadline) return { kind: "in_progress" };
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    },
    prune: () => pruneKeys(sql, PRUNE_MAX),
  };
}
