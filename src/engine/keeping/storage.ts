/** What everything takes on disk: one look for all who ask within some seconds. */
import { listPartitions } from "../../db/partitions.ts";
import { readDatabaseSize, readSizes } from "../../db/statements/keeping/sizes.ts";
import type { EngineContext } from "../context.ts";
import { LogCounter, type LogUse } from "./log_use.ts";
import { type TableUse, tableUses } from "./table_use.ts";

const SHARED_MS = 5_000;
/** Somebody's page is not what this is asked for again and again. */
const ANEW_MS = 15_000;
const RECENT_MS = 10 * 60_000;
const AFTERWARDS_MS = 300;

export interface StorageUse {
  /** When it was looked at, epoch milliseconds. */
  at: number;
  database_bytes: number;
  /** The largest first. */
  tables: TableUse[];
  /** Null: there are none here, or they are being counted for the first time. */
  logs: LogUse | null;
}

export class Storage {
  readonly #context: EngineContext;
  readonly #logs: LogCounter | null;
  #look: Promise<StorageUse> | undefined;
  #looked = Number.NEGATIVE_INFINITY;
  #known: StorageUse | undefined;
  #planned: ReturnType<typeof setTimeout> | undefined;

  constructor(context: EngineContext) {
    this.#context = context;
    const { logs } = context.options;
    this.#logs = logs && new LogCounter(logs);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#planned);
    await this.#look?.catch(() => {});
    await this.#logs?.stop();
  }

  read(): Promise<StorageUse> {
    const now = performance.now();
    if (this.#look && now - this.#looked < SHARED_MS) return this.#look;
    this.#looked = now;
    const look = this.#read();
    this.#look = look;
    look.catch(() => {
      if (this.#look === look) this.#look = undefined;
    });
    return look;
  }

  /**
   * What was known last, while it is looked at anew: PostgreSQL looks at every file, which takes it some
   * hundred milliseconds where partitions are many.
   */
  async recent(): Promise<StorageUse> {
    const age = this.#known ? this.#context.clock.now() - this.#known.at : RECENT_MS;
    if (!this.#known || age >= RECENT_MS) return this.read();
    if (age >= ANEW_MS) this.#later();
    return this.#known;
  }

  /** When whoever asks has been answered: beside the answer it would take the database's time from it. */
  #later(): void {
    if (this.#planned !== undefined) return;
    this.#planned = setTimeout(() => {
      this.#planned = undefined;
      this.read().catch(() => {});
    }, AFTERWARDS_MS);
  }

  async #read(): Promise<StorageUse> {
    const { reads } = this.#context.database;
    const { retention } = this.#context.options;
    const at = this.#context.clock.now();
    const [sizes, partitions, database, logs] = await Promise.all([
      readSizes(reads),
      listPartitions(reads),
      readDatabaseSize(reads),
      this.#logs?.read(retention.logsDays, at) ?? null,
    ]);
    const tables = tableUses(sizes, partitions, retention, at);
    this.#known = { at, database_bytes: database, tables, logs };
    return this.#known;
  }
}
