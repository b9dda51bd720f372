/**
 * A beat pipeline (engine rule 7): what arrives while one transaction runs travels together in the
 * next. One beat after the other, on one connection, where a full one is sent before the former is
 * answered; at most `max` items a beat.
 *
 * Faults, in one place:
 * - 40P01, 40001 and 55P03 repeat the transaction, and 25P03 (this process stood still in the midst of it).
 * - a lost connection looks the beat's id up before anything is repeated (engine rule 9).
 * - a day without a partition gets one, and the beat is repeated.
 * - class 22 and 23 halve the beat until the bad item stands alone; `onBad` settles it (rule 5).
 */
import { randomUUID } from "node:crypto";
import type { Sql, Transaction } from "../db/client.ts";
import { lacksPartition, makeMissingPartition } from "../db/missing_partition.ts";
import { beatLanded } from "../db/statements/beats.ts";
import type { Log } from "./context.ts";

export interface PipelineOptions<T, R> {
  name: string;
  sql: Sql;
  log: Log;
  max: number;
  /** Writes the items; the beat's id must be inserted in the same transaction. */
  write(tx: Transaction, items: T[], beat: string): Promise<R>;
  /** Items that one statement can write, which is then the transaction; undefined where it cannot. */
  writeAlone?(sql: Sql, items: T[], beat: string): Promise<R> | undefined;
  /** After the commit. `result` is undefined where the beat had committed though we lost the answer. */
  committed(items: T[], result: R | undefined): void | Promise<void>;
  /** One item that can never be stored. Returns what to write instead, or null to drop it. */
  onBad(item: T, error: unknown): T | null;
  /** A beat that did not commit: what of it to write again. Without it, all. */
  again?(items: T[], error: unknown): T[];
}

type Told = () => Promise<void>;

const nothing: Told = async () => {};
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** Beats in flight: with one, the database had nothing to do between an answer and the next beat. */
const LANES = 2;

export class Pipeline<T, R> {
  readonly #options: PipelineOptions<T, R>;
  #waiting: T[] = [];
  #lanes = 0;
  /** Beats that the database has not answered. */
  #flying = 0;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(options: PipelineOptions<T, R>) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.length;
  }

  get busy(): boolean {
    return this.#lanes > 0;
  }

  add(items: T[]): void {
    if (items.length === 0) return;
    for (const item of items) this.#waiting.push(item);
    this.#wake();
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    if (!this.busy && this.#waiting.length === 0) return;
    await new Promise<void>((done) => this.#idle.push(done));
  }

  /** Takes out what waits and is in no beat yet. */
  withdraw(): T[] {
    return this.#waiting.splice(0);
  }

  /** Gives up what waits: the workers keep their reports and repeat them. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  /** A second lane is opened for a full beat only: smaller ones are better written together. */
  #wake(): void {
    const isFull = this.#waiting.length >= this.#options.max;
    if (this.#stopped || this.#lanes >= (isFull ? LANES : 1)) return;
    this.#lanes += 1;
    void this.#run();
  }

  async #run(): Promise<void> {
    // A macrotask first: frames that arrived in the same read join the beat.
    await new Promise((next) => setImmediate(next));
    // What a beat wrote is told while the database writes the next one: told first, the database
    // had nothing to do for a third of the time.
    let tell = nothing;
    for (;;) {
      const items = this.#next();
      if (items.length === 0 && tell === nothing) break;
      const written = items.length > 0 ? this.#fly(items) : undefined;
      if (written && tell !== nothing) await new Promise((sent) => setImmediate(sent));
      await tell();
      tell = (await written) ?? nothing;
    }
    this.#lanes -= 1;
    if (this.#lanes > 0) return;
    for (const done of this.#idle.splice(0)) done();
  }

  /** While a beat is in flight, what does not fill another waits for it. */
  #next(): T[] {
    const { max } = this.#options;
    return this.#flying > 0 && this.#waiting.length < max ? [] : this.#waiting.splice(0, max);
  }

  async #fly(items: T[]): Promise<Told> {
    this.#flying += 1;
    // Several beats may have come at once.
    this.#wake();
    const tell = await this.#written(items);
    this.#flying -= 1;
    return tell;
  }

  /** Writes the items, however often that takes. Resolves with what is to be done after the commit. */
  async #written(all: T[]): Promise<Told> {
    const { log, name } = this.#options;
    let items = all;
    let pause = FIRST_PAUSE_MS;
    for (;;) {
      if (this.#stopped) return nothing;
      const beat = randomUUID();
      try {
        const result = await this.#write(items, beat);
        const written = items;
        return () => this.#committed(written, result);
      } catch (error) {
        const code = sqlState(error);
        if (isUnstorable(code) && !lacksPartition(error)) return this.#halve(items, error);
        if (lacksPartition(error)) await this.#makePartition(error);
        else if (!isRepeatable(code)) {
          log.warn({ pipeline: name, code, error: message(error) }, "beat failed, will repeat");
        }
        if (code === undefined && (await this.#landed(beat))) {
          const landed = items;
          return () => this.#committed(landed, undefined);
        }
        items = this.#options.again?.(items, error) ?? items;
        if (items.length === 0) return nothing;
        await rest(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** Not the items' fault: their day has no partition. */
  async #makePartition(error: unknown): Promise<void> {
    const { log, name, sql } = this.#options;
    const made = await makeMissingPartition(sql, error).catch(() => false);
    log.warn({ pipeline: name, made, error: message(error) }, "a day had no partition");
  }

  async #write(items: T[], beat: string): Promise<R> {
    const { sql } = this.#options;
    const alone = this.#options.writeAlone?.(sql, items, beat);
    if (alone) return await alone;
    return (await sql.begin((tx) =>
      this.#options.write(tx as unknown as Transaction, items, beat),
    )) as R;
  }

  /** What fails after the commit is no fault of the transaction: nothing is written again. */
  async #committed(items: T[], result: R | undefined): Promise<void> {
    try {
      await this.#options.committed(items, result);
    } catch (error) {
      const { log, name } = this.#options;
      log.error({ pipeline: name, error: message(error) }, "a written beat was not told in full");
    }
  }

  async #halve(items: T[], error: unknown): Promise<Told> {
    if (items.length > 1) {
      const middle = items.length >> 1;
      const first = await this.#written(items.slice(0, middle));
      const second = await this.#written(items.slice(middle));
      return async () => {
        await first();
        await second();
      };
    }
    const instead = this.#options.onBad(items[0]!, error);
    return instead === null ? nothing : await this.#written([instead]);
  }

  /** After a connection lost at COMMIT: did it commit? Asks until the database answers. */
  async #landed(beat: string): Promise<boolean> {
    let pause = FIRST_PAUSE_MS;
    for (;;) {
      if (this.#stopped) return false;
      try {
        return await beatLanded(this.#options.sql, beat);
      } catch {
        await rest(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }
}

/** The SQLSTATE of a server's answer; undefined where the connection itself failed. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown })?.code;
  // A system's own word such as EPIPE has five letters too, but no class of SQLSTATE begins with E.
  // Class 57P and 08 mean that the connection ended: whether the commit landed is unknown.
  if (typeof code !== "string" || !/^[0-9FHPX][0-9A-Z]{4}$/.test(code)) return undefined;
  return code.startsWith("57P") || code.startsWith("08") ? undefined : code;
}

function isUnstorable(code: string | undefined): boolean {
  return code !== undefined && (code.startsWith("22") || code.startsWith("23"));
}

/** The transaction was rolled back through no fault of its own: the same may succeed now. */
export function isRepeatable(code: string | undefined): boolean {
  return code !== undefined && ["40P01", "40001", "55P03", "25P03"].includes(code);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function rest(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/**
 * One transaction of a rare action (a submission, a cancel): repeats deadlocks and serialization
 * faults a bounded number of times. What it throws otherwise is the caller's to explain.
 */
export async function transact<R>(sql: Sql, run: (tx: Transaction) => Promise<R>): Promise<R> {
  for (let tries = 1; ; tries++) {
    try {
      return (await sql.begin((tx) => run(tx as unknown as Transaction))) as R;
    } catch (error) {
      if (tries >= 8 || !isRepeatable(sqlState(error))) throw error;
      await rest(10 * tries * (0.5 + Math.random()));
    }
  }
}
