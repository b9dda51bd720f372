/** In-process announcements of committed facts. A listener that throws hurts nobody else. */

import type { End, Lease } from "./lease.ts";

export interface Facts {
  /** Jobs became ready in these shapes; other replicas peek them. */
  "jobs.ready": { shapes: number[] };
  /** Phase events were committed: the feed reads on. */
  "events.committed": Record<string, never>;
  /** Somebody asked a running job to be cancelled. */
  "cancel.requested": Record<string, never>;
  /** A queue was paused or resumed, limits or the draining switch changed. */
  "switches.changed": Record<string, never>;
  /** A schedule was made, changed, paused, resumed, or run by hand. */
  "schedules.changed": Record<string, never>;
  "worker.joined": { session: number; worker: number };
  "worker.changed": { session: number; worker: number };
  "worker.left": { session: number; worker: number; reason: string };
  /** Rollups are as of now: whoever shows them reads them anew. */
  "rollups.computed": Record<string, never>;
  /** Attempts ended, here or by the rescuer of this server. */
  "attempts.ended": { ends: readonly { lease: Lease; end: End }[] };
  "job.progress": { job: string; fraction: number | null; note: string | null };
}

export type Fact = keyof Facts;

export class Bus {
  readonly #listeners = new Map<Fact, Set<(payload: never) => void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on<F extends Fact>(fact: F, listener: (payload: Facts[F]) => void): () => void {
    const set = this.#listeners.get(fact) ?? new Set();
    this.#listeners.set(fact, set);
    set.add(listener as (payload: never) => void);
    return () => set.delete(listener as (payload: never) => void);
  }

  tell<F extends Fact>(fact: F, payload: Facts[F]): void {
    for (const listener of this.#listeners.get(fact) ?? []) {
      try {
        (listener as (payload: Facts[F]) => void)(payload);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
