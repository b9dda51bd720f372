/** Removes old rows of small tables, in chunks (see the statements for which are found how). */
import { expiryOf } from "../../core/retention.ts";
import type { Sql } from "../../db/client.ts";
import { listPartitions, type PartitionedTable } from "../../db/partitions.ts";
import {
  emptyWorkflows,
  type OldRows,
  oldConnections,
  oldContexts,
  oldFires,
  oldHistories,
  oldMaintenance,
  oldNames,
  oldOperations,
  oldRankings,
  oldWorkers,
  removeChunk,
  rowsOfJobs,
} from "../../db/statements/keeping/old_rows.ts";
import { idAt } from "../../db/statements/keeping/pruned.ts";
import type { EngineContext } from "../context.ts";
import { goneDays } from "./kept.ts";
import type { Term } from "./term.ts";

const DAY_MS = 86_400_000;
/**
 * What is interned says when it was used last, up to two days late: a server asks the database again only
 * once a day. A third day for what such a server is doing.
 */
const LATE_MS = 3 * DAY_MS;
/** Of one kind and round; the next round goes on. */
const CHUNKS_MAX = 500;

export class RowPruner {
  readonly #context: EngineContext;
  readonly #term: Term;
  readonly #sql: Sql;

  constructor(context: EngineContext, term: Term, sql: Sql) {
    this.#context = context;
    this.#term = term;
    this.#sql = sql;
  }

  /** Answers how many rows went. */
  async prune(now: number, goOn: () => boolean): Promise<number> {
    const removed: Record<string, number> = {};
    for (const kind of await this.#kinds(now)) {
      const rows = await this.#remove(kind, goOn);
      if (rows > 0) removed[kind.name] = (removed[kind.name] ?? 0) + rows;
    }
    if (Object.keys(removed).length > 0) {
      this.#context.log.info(removed, "old rows were removed");
    }
    return Object.values(removed).reduce((sum, rows) => sum + rows, 0);
  }

  async #remove(kind: OldRows, goOn: () => boolean): Promise<number> {
    let removed = 0;
    let after: string | null = kind.first;
    for (let chunk = 0; chunk < CHUNKS_MAX && after !== null && goOn(); chunk++) {
      const from: string = after;
      const done = await this.#term.act(this.#sql, (tx) => removeChunk(tx, kind, from));
      if (done === null) break;
      removed += done.removed;
      after = done.after;
    }
    return removed;
  }

  /** In an order in which what is named by others goes after them. */
  async #kinds(now: number): Promise<OldRows[]> {
    const { retention } = this.#context.options;
    const partitions = await listPartitions(this.#sql);
    const raw = expiryOf(retention.rawDays, now);
    const jobs = expiryOf(retention.jobsDays, now);
    const rollups = expiryOf(retention.rollupDays, now);
    const oldest = (table: PartitionedTable) =>
      Math.min(...partitions.filter((p) => p.table === table).map((p) => p.day));
    const dispatches = expiryOf(retention.dispatchDays, now);
    const decisions = Math.min(dispatches, oldest("decision"));
    const borne = Math.min(rollups, jobs, oldest("job"));
    const ofJobs = goneDays(partitions).flatMap(([low, high]) => rowsOfJobs(low, high));
    return [
      ...ofJobs,
      emptyWorkflows(jobs, idAt(jobs)),
      ...oldOperations(jobs, idAt(jobs)),
      oldRankings(rollups),
      oldFires(jobs),
      oldMaintenance(raw),
      oldConnections(raw),
      oldWorkers(Math.min(rollups, jobs, dispatches)),
      oldHistories(rollups),
      oldContexts(decisions - LATE_MS),
      ...oldNames(borne - LATE_MS),
    ];
  }
}
