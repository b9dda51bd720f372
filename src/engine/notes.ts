/**
 * The small notes of workers, each written once per short interval: how far an attempt is, and that
 * a cancel arrived. What could not be written is put back: at most one note of each kind for an
 * attempt that lives, and a newer one wins.
 */
import { acknowledgeCancels, noteProgress } from "../db/statements/leases.ts";
import type { EngineContext } from "./context.ts";
import type { Lease } from "./lease.ts";

export class Notes {
  readonly #context: EngineContext;
  #progress = new Map<string, Lease>();
  #acknowledged = new Map<string, Lease>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  progressed(lease: Lease): void {
    this.#progress.set(lease.id, lease);
  }

  acknowledged(leases: Lease[]): void {
    for (const lease of leases) this.#acknowledged.set(lease.id, lease);
  }

  /** Rejects where something could not be written; it is kept for the next time. */
  async flush(): Promise<void> {
    const acknowledged = this.#acknowledged;
    const progress = this.#progress;
    this.#acknowledged = new Map();
    this.#progress = new Map();
    const written = await Promise.allSettled([
      this.#acknowledge(alive(acknowledged)),
      this.#note(alive(progress)),
    ]);
    if (written[0].status === "rejected") putBack(acknowledged, this.#acknowledged);
    if (written[1].status === "rejected") putBack(progress, this.#progress);
    for (const one of written) if (one.status === "rejected") throw one.reason;
  }

  #acknowledge(leases: Lease[]): Promise<void> {
    const { beats } = this.#context.database;
    return acknowledgeCancels(
      beats,
      leases.map((l) => l.id),
      leases.map((l) => l.token),
    );
  }

  async #note(leases: Lease[]): Promise<void> {
    const rows = leases.map((l) => ({
      job: l.id,
      token: l.token,
      fraction: l.progress,
      note: l.progressNote,
      items: l.items,
    }));
    await noteProgress(this.#context.database.beats, rows);
    for (const { job, fraction, note } of rows) {
      this.#context.bus.tell("job.progress", { job, fraction, note });
    }
  }
}

/** An attempt whose end is being written needs no notes any more. */
function alive(notes: Map<string, Lease>): Lease[] {
  return [...notes.values()].filter((lease) => !lease.ending);
}

function putBack(from: Map<string, Lease>, to: Map<string, Lease>): void {
  for (const lease of alive(from)) if (!to.has(lease.id)) to.set(lease.id, lease);
}
