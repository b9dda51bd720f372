/**
 * What Signalbox does for itself, recorded as runs, so that it is watched like any job. A pass that found
 * nothing to do leaves no trace; those of a minute are one row, written once a minute.
 */
import type { MaintenanceTask } from "../../core/background/system_org.ts";
import { clipText } from "../../core/storable.ts";
import type { Sql } from "../../db/client.ts";
import {
  type MaintenanceRow,
  writeMaintenance,
} from "../../db/statements/background/write_maintenance.ts";
import { Loop, type Service } from "../service.ts";

const EVERY_MS = 60_000;
const ERROR_MAX = 2_000;

/** What a pass did; null: there was nothing to do, or another server does it. With an error it failed. */
export type Done = Partial<MaintenanceRow["items"]> & { error?: string | null };

interface Parts {
  sql: Sql;
  address: string;
  /** Database time, milliseconds. */
  now(): number;
  onError(error: unknown): void;
}

export class Maintenance implements Service {
  readonly name = "maintenance";
  readonly #parts: Parts;
  readonly #loop: Loop;
  #fresh = new Map<MaintenanceTask, MaintenanceRow>();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { onError } = parts;
    this.#loop = new Loop({ name: this.name, everyMs: EVERY_MS, run: () => this.flush(), onError });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.flush().catch(() => {});
  }

  /** One pass: what it answers is recorded, what it throws too, and thrown again. */
  async pass<R>(
    task: MaintenanceTask,
    run: () => Promise<R>,
    done: (result: R) => Done | null,
  ): Promise<R> {
    const startedAt = this.#parts.now();
    const from = performance.now();
    const ran = () => ({ startedAt, runMs: performance.now() - from });
    try {
      const result = await run();
      const did = done(result);
      if (did !== null) this.#add(task, ran(), did);
      return result;
    } catch (error) {
      this.#add(task, ran(), { failed: 1, error: String(error) });
      throw error;
    }
  }

  /** Writes what came up since the last time. What cannot be written waits for the next. */
  async flush(): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = new Map();
    try {
      await writeMaintenance(this.#parts.sql, [...fresh.values()]);
    } catch (error) {
      for (const [task, row] of fresh) {
        const newer = this.#fresh.get(task);
        this.#fresh.set(task, newer ? joined(row, newer) : row);
      }
      throw error;
    }
  }

  #add(
    task: MaintenanceTask,
    { startedAt, runMs }: { startedAt: number; runMs: number },
    { error = null, ...items }: Done,
  ): void {
    const row: MaintenanceRow = {
      ...{ task, startedAt, runMs, passes: 1, address: this.#parts.address },
      endedAt: Math.max(startedAt, this.#parts.now()),
      outcome: error === null ? "succeeded" : "failed",
      items: { success: 0, failed: 0, skipped: 0, ...items },
      error: error === null ? null : clipText(error, ERROR_MAX),
    };
    const before = this.#fresh.get(task);
    this.#fresh.set(task, before ? joined(before, row) : row);
  }
}

/** Passes of one task as one run: it failed where any of them did. */
function joined(before: MaintenanceRow, next: MaintenanceRow): MaintenanceRow {
  const [a, b] = [before.items, next.items];
  return {
    ...next,
    startedAt: before.startedAt,
    runMs: before.runMs + next.runMs,
    passes: before.passes + next.passes,
    outcome: before.outcome === "failed" ? "failed" : next.outcome,
    items: {
      success: a.success + b.success,
      failed: a.failed + b.failed,
      skipped: a.skipped + b.skipped,
    },
    error: next.error ?? before.error,
  };
}
