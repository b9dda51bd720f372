/** When tokens were last used: kept in memory, and written for many at once about once a minute. */
import type { Sql } from "../db/client.ts";
import { writeTokenUses } from "../db/statements/token_uses.ts";

const WRITE_MS = 60_000;
type Table = Parameters<typeof writeTokenUses>[1];

export interface LastUsedOptions {
  sql: Sql;
  now(): number;
  onTrouble(error: unknown): void;
  /** For tests. */
  everyMs?: number;
}

export class LastUsed {
  readonly #options: LastUsedOptions;
  #uses: Record<Table, Map<string, number>> = { api_token: new Map(), worker_token: new Map() };
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: LastUsedOptions) {
    this.#options = options;
  }

  note(table: Table, id: string): void {
    this.#uses[table].set(id, this.#options.now());
  }

  start(): void {
    this.#timer = setInterval(() => void this.write(), this.#options.everyMs ?? WRITE_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  /** What could not be written is kept for the next time. */
  async write(): Promise<void> {
    for (const table of ["api_token", "worker_token"] as const) {
      const uses = this.#uses[table];
      this.#uses[table] = new Map();
      try {
        await writeTokenUses(this.#options.sql, table, uses);
      } catch (error) {
        for (const [id, at] of uses) {
          if (!this.#uses[table].has(id)) this.#uses[table].set(id, at);
        }
        this.#options.onTrouble(error);
      }
    }
  }
}
