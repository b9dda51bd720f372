/**
 * The intake: plain submissions of all callers in one pipeline. What arrives while one transaction
 * runs travels together in the next, which is one statement (engine rule 7): a transaction for each
 * took nine round trips, and 200 of them a second waited for each other.
 *
 * Whatever a beat cannot settle for one submission (it cannot be stored, its receipt is being written
 * by somebody else) goes the way of all other submissions, in a transaction of its own, and its caller
 * hears what that one says.
 */
import type { NewJob } from "../../db/statements/insert_jobs.ts";
import { type NewReceipt, takeJobs, whichJobs } from "../../db/statements/take_jobs.ts";
import type { ParsedJobInput, Requirements } from "../../messages/job_input.ts";
import type { EngineContext } from "../context.ts";
import { type Receipt, ReceiptTaken, type Submitted } from "../engine.ts";
import { Pipeline, rest, sqlState } from "../pipeline.ts";
import { sizeOf } from "./recent_details.ts";

/** Jobs of one submission, as they will be written. */
export interface Plain {
  rows: NewJob[];
  /** Database time of the submission, milliseconds. */
  at: number;
  /** Of each. */
  requirements: Requirements[];
}

interface Item extends Plain {
  receipt: NewReceipt | null;
  submitted: Submitted[];
  done(submitted: Submitted[]): void;
  failed(error: unknown): void;
  /** In a transaction of its own. */
  inFull(): Promise<Submitted[]>;
}

/** Larger submissions are bulks, which have a transaction of their own. */
const JOBS_MAX = 10;
const SUBMISSIONS_MAX = 100;
/** Characters of a payload, roughly: a hundred larger ones would hold up everybody's beat. */
const PAYLOAD_MAX = 65_536;
/** After this long without a database the callers hear of it. */
const PATIENCE_MS = 2_000;
const STOP_MS = 5_000;
const ADMIN_SHUTDOWN = "57P01";
const LOOK_AGAIN_MS = 200;

export class Intake {
  readonly #context: EngineContext;
  readonly #pipeline: Pipeline<Item, Set<number>>;
  readonly #pending = new Set<Item>();
  /** Receipts of what is pending: one beat cannot write one twice. */
  readonly #receipts = new Set<string>();
  /** The database could not be reached: a transaction of its own says so at once. */
  #away = false;
  /** Beats whose answer was lost, until the database has said what became of them. */
  readonly #lost = new Set<Item[]>();
  #stopped = false;

  /** `announce` hears of each beat after its commit, before the callers do. */
  constructor(context: EngineContext, announce: (written: Plain[]) => void) {
    this.#context = context;
    this.#pipeline = new Pipeline<Item, Set<number>>({
      name: "intake",
      sql: context.database.arrivals,
      log: context.log,
      max: SUBMISSIONS_MAX,
      write: () => Promise.reject(new Error("the intake writes one statement")),
      writeAlone: (sql, items, beat) => this.#watched(items, takeJobs(sql, items, beat)),
      committed: async (items, refused) => {
        this.#away = false;
        this.#lost.delete(items);
        // After a lost answer: which receipts stood before is not known any more.
        const left = refused ?? (await this.#leftOut(items));
        const written = items.filter((_, at) => !left.has(at));
        for (const { rows } of written) context.recent.add(rows);
        announce(written);
        // The lease goes to the database first, and is written while answers are made here.
        await aTurn();
        await aTurn();
        for (const [at, item] of items.entries()) this.#settle(item, left.has(at));
      },
      onBad: (item) => {
        this.#goAlone([item]);
        return null;
      },
      again: (items, error) => this.#again(items, error),
    });
  }

  /** Whether these jobs can share a beat: alone in the world, few, with a receipt nobody else has. */
  takes(inputs: readonly ParsedJobInput[], receipt: Receipt | undefined): boolean {
    if (this.#stopped || this.#away) return false;
    if (inputs.length === 0 || inputs.length > JOBS_MAX) return false;
    if (receipt !== undefined && this.#receipts.has(nameOf(receipt))) return false;
    if (inputs.some((i) => sizeOf(i.payload, PAYLOAD_MAX) > PAYLOAD_MAX)) return false;
    return inputs.every((i) => i.dedupe_key === undefined && !i.depends_on?.length);
  }

  /** Resolves after the commit. Rejects with ReceiptTaken, or with what `inFull` throws. */
  take(
    plain: Plain,
    receipt: Receipt | undefined,
    inFull: () => Promise<Submitted[]>,
  ): Promise<Submitted[]> {
    const { at, requirements } = plain;
    const submitted = plain.rows.map((row, i) => {
      return { id: row.id, created: true, job: { row, at, requirements: requirements[i]! } };
    });
    return new Promise((done, failed) => {
      const item: Item = {
        ...plain,
        receipt: receipt === undefined ? null : receiptOf(receipt, submitted),
        submitted,
        done,
        failed,
        inFull,
      };
      this.#pending.add(item);
      if (item.receipt) this.#receipts.add(nameOf(item.receipt));
      this.#pipeline.add([item]);
    });
  }

  /** Waits for what is on its way, a bounded time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#pending.size > 0) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const patience = new Promise<void>((done) => {
        timer = setTimeout(done, STOP_MS);
      });
      await Promise.race([this.#pipeline.idle(), patience]);
      clearTimeout(timer);
    }
    this.#pipeline.stop();
    const error = Object.assign(new Error("The server stops."), { code: ADMIN_SHUTDOWN });
    this.#giveUp([...this.#pending], error);
  }

  #watched<R>(items: Item[], writing: Promise<R>): Promise<R> {
    return writing.then(
      (result) => {
        this.#away = false;
        return result;
      },
      (error) => {
        this.#away = sqlState(error) === undefined;
        // What has not been sent need not wait until the database answers again.
        if (this.#away) {
          this.#goAlone(this.#pipeline.withdraw());
          this.#lost.add(items);
          setTimeout(() => {
            // Else the database has answered meanwhile, and they are being written.
            if (this.#lost.delete(items)) this.#giveUp(items, error);
          }, PATIENCE_MS);
        }
        throw error;
      },
    );
  }

  /** After a beat that did not commit, as the database has said. */
  #again(items: Item[], error: unknown): Item[] {
    this.#away = false;
    this.#lost.delete(items);
    const code = sqlState(error);
    if (code === "40P01" || code === "40001") return items;
    if (code !== undefined) {
      this.#goAlone(items);
      return [];
    }
    // What its caller was told has failed is not written after all.
    return items.filter((item) => this.#pending.has(item));
  }

  /** Nobody knows whether these were written: a caller with a receipt asks again. */
  #giveUp(items: Item[], error: unknown): void {
    for (const item of items) {
      if (!this.#pending.has(item)) continue;
      this.#forget(item);
      item.failed(error);
    }
  }

  /** Which of a beat that committed unheard were not written: their receipts stood already. */
  async #leftOut(items: Item[]): Promise<Set<number>> {
    const ids = items.map((item) => item.rows[0]!.id);
    for (;;) {
      try {
        const found = await whichJobs(this.#context.database.arrivals, ids);
        return new Set(ids.flatMap((id, at) => (found.has(id) ? [] : [at])));
      } catch (error) {
        if (this.#stopped) throw error;
        await rest(LOOK_AGAIN_MS);
      }
    }
  }

  #goAlone(items: Item[]): void {
    for (const item of items) {
      this.#forget(item);
      item.inFull().then(item.done, item.failed);
    }
  }

  #settle(item: Item, refused: boolean): void {
    this.#forget(item);
    if (refused) item.failed(new ReceiptTaken(item.receipt!.key));
    else item.done(item.submitted);
  }

  #forget(item: Item): void {
    this.#pending.delete(item);
    if (item.receipt) this.#receipts.delete(nameOf(item.receipt));
  }
}

function receiptOf({ caller, key, hash, answer }: Receipt, submitted: Submitted[]): NewReceipt {
  const name = { caller, key, hash };
  if (answer !== undefined) {
    const { status, body } = answer(submitted);
    return { ...name, status, answer: body ?? null };
  }
  const plain = submitted.map(({ id, created }) => ({ id, created }));
  return { ...name, status: null, answer: plain };
}

function nameOf({ caller, key }: { caller: string; key: string }): string {
  return `${key} ${caller}`;
}

/** Of the event loop. The driver sends what it was given in one turn at the beginning of the next. */
function aTurn(): Promise<void> {
  return new Promise((next) => setImmediate(next));
}
