/**
 * Removes partitions that have expired. First the table `pruned` says how far: who computes rollups asks
 * it, and what they have not read yet is kept, whatever the settings say.
 */
import type { Sql } from "../../db/client.ts";
import {
  dropPartitionsBefore,
  listPartitions,
  type Partition,
  type PartitionedTable,
  partitionEnd,
} from "../../db/partitions.ts";
import { heldJobDays, lockPruned, raisePruned } from "../../db/statements/keeping/pruned.ts";
import { readUnread } from "../../db/statements/keeping/unread.ts";
import type { EngineContext } from "../context.ts";
import { expiredBefore, KEPT_TABLES, removableBefore } from "./kept.ts";
import type { Term } from "./term.ts";

export interface Dropped {
  /** Partitions that have expired. */
  expired: number;
  dropped: string[];
}

export class PartitionPruner {
  readonly #context: EngineContext;
  readonly #term: Term;
  readonly #sql: Sql;

  constructor(context: EngineContext, term: Term, sql: Sql) {
    this.#context = context;
    this.#term = term;
    this.#sql = sql;
  }

  /** `goOn`: asked before each table. */
  async prune(now: number, goOn: () => boolean): Promise<Dropped> {
    const done: Dropped = { expired: 0, dropped: [] };
    for (const table of KEPT_TABLES) {
      if (!goOn()) break;
      const expired = await this.#expired(table, now);
      if (expired.length === 0) continue;
      done.expired += expired.length;
      done.dropped.push(...(await this.#drop(table, expired, now)));
    }
    return done;
  }

  async #expired(table: PartitionedTable, now: number): Promise<Partition[]> {
    const before = expiredBefore(table, this.#context.options.retention, now);
    const all = await listPartitions(this.#sql);
    return all.filter((p) => p.table === table && partitionEnd(table, p.day) <= before);
  }

  async #drop(table: PartitionedTable, expired: Partition[], now: number): Promise<string[]> {
    const { log } = this.#context;
    const before = await this.#raise(table, now);
    if (before === null) return [];
    const unread = expired.filter((p) => partitionEnd(table, p.day) > before);
    if (unread.length > 0) {
      const facts = { table, partitions: unread.length, oldest: unread[0]!.name };
      log.warn(facts, "history that has expired is kept, because rollups have not read it yet");
    }
    const spared = table === "job" ? await heldJobDays(this.#sql, expired) : new Set<string>();
    const { dropped, left } = await dropPartitionsBefore(this.#sql, table, before, spared);
    if (dropped.length > 0) log.info({ table, dropped }, "what has expired was removed");
    if (left.length > 0) log.warn({ table, left }, "somebody reads what has expired: it stays");
    return dropped;
  }

  /** What is older may be removed. Null where another server leads. */
  #raise(table: PartitionedTable, now: number): Promise<number | null> {
    const expired = expiredBefore(table, this.#context.options.retention, now);
    return this.#term.act(this.#sql, async (tx) => {
      // Locked first and looked at next: nobody computes a bucket meanwhile that would lose its rows.
      await lockPruned(tx);
      const before = removableBefore(table, expired, await readUnread(tx, expired));
      await raisePruned(tx, table, before);
      return before;
    });
  }
}
