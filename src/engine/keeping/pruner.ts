/**
 * Retention: every hour, and at the start, what is older than the settings say is removed. One server at a
 * time; whatever it leaves, the next round does. Days go as whole partitions; rows only of small tables.
 */
import { Cron } from "croner";
import type { LogStore } from "../../blobs/log_store.ts";
import { expiryOf } from "../../core/retention.ts";
import type { Sql } from "../../db/client.ts";
import { openUpkeep } from "../../db/upkeep.ts";
import type { EngineContext } from "../context.ts";
import type { Service } from "../service.ts";
import { pruneLogs } from "./log_pruner.ts";
import { type Dropped, PartitionPruner } from "./partition_pruner.ts";
import { RowPruner } from "./row_pruner.ts";
import { Term } from "./term.ts";

const HOURLY = "0 0 * * * *";

export class Pruner implements Service {
  readonly name = "pruner";
  readonly #context: EngineContext;
  readonly #logs: LogStore | null;
  readonly #term: Term;
  #sql: Sql | undefined;
  #cron: Cron | undefined;
  #running: Promise<Dropped> | undefined;
  #stopped = true;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#logs = context.options.logs;
    this.#term = new Term(context, this.name);
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#sql = openUpkeep(this.#context.database.url);
    this.#cron = new Cron(HOURLY, { protect: true, unref: true }, () => this.#quietly());
    void this.#quietly();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cron?.stop();
    await this.#running?.catch(() => {});
    await this.#sql?.end({ timeout: 2 });
  }

  /** One round as of `now`, after the one that runs. Nothing where another server leads. */
  pass(now = this.#context.clock.now()): Promise<Dropped> {
    const before = this.#running?.catch(() => {}) ?? Promise.resolve();
    const round = before.then(() => this.#recorded(now));
    this.#running = round;
    return round;
  }

  async #recorded(now: number): Promise<Dropped> {
    const { dropped } = await this.#context.maintenance.pass(
      "retention",
      () => this.#pass(now),
      (done) => (done.led ? { success: done.removed } : null),
    );
    return dropped;
  }

  async #quietly(): Promise<void> {
    try {
      await this.pass();
    } catch (error) {
      if (this.#stopped) return;
      this.#context.log.warn({ error: String(error) }, "retention will try again in an hour");
    }
  }

  async #pass(now: number): Promise<{ dropped: Dropped; removed: number; led: boolean }> {
    const none: Dropped = { expired: 0, dropped: [] };
    if (this.#stopped || !(await this.#term.hold())) {
      return { dropped: none, removed: 0, led: false };
    }
    const goOn = () => !this.#stopped;
    const sql = this.#sql!;
    const dropped = await new PartitionPruner(this.#context, this.#term, sql).prune(now, goOn);
    const rows = await new RowPruner(this.#context, this.#term, sql).prune(now, goOn);
    if (this.#logs && goOn() && (await this.#term.hold())) {
      const before = expiryOf(this.#context.options.retention.logsDays, now);
      await pruneLogs(sql, this.#logs, before);
    }
    return { dropped, removed: rows + dropped.dropped.length, led: true };
  }
}
