/**
 * The attempts that this worker holds. An attempt takes a slot until it ends; then it stays, as an
 * unrecorded end, until the server has it on record.
 */
import type { Assignment, LeaseRef } from "../messages/frames.ts";
import type { Attempt } from "./attempt.ts";

export class Attempts {
  readonly #held = new Map<string, Attempt>();
  /** Taken away by the server, their processes not yet gone. They hold no slot. */
  readonly #dying = new Set<Attempt>();
  #running = 0;

  get running(): number {
    return this.#running;
  }

  /** Running and unrecorded together: what a hello has to name. */
  get held(): number {
    return this.#held.size;
  }

  /** Whether nothing is left: no work, no report, no process. */
  get idle(): boolean {
    return this.#held.size === 0 && this.#dying.size === 0;
  }

  all(): IterableIterator<Attempt> {
    return this.#held.values();
  }

  dying(): IterableIterator<Attempt> {
    return this.#dying.values();
  }

  /** The attempt that holds exactly this lease. */
  find(lease: LeaseRef): Attempt | undefined {
    const attempt = this.#held.get(lease.job);
    return attempt?.assignment.token === lease.token ? attempt : undefined;
  }

  ofJob(assignment: Assignment): Attempt | undefined {
    return this.#held.get(assignment.job);
  }

  add(attempt: Attempt): void {
    this.#held.set(attempt.assignment.job, attempt);
    this.#running += 1;
  }

  /** Its report stands; its slot is free. */
  ended(attempt: Attempt): void {
    if (attempt.forgotten) this.#dying.delete(attempt);
    else this.#running -= 1;
  }

  /** The server took it away. Where it still runs it is only waited for. */
  forget(attempt: Attempt): void {
    attempt.forgotten = true;
    this.#held.delete(attempt.assignment.job);
    if (attempt.report !== null) return;
    this.#running -= 1;
    this.#dying.add(attempt);
  }

  recorded(attempt: Attempt): void {
    this.#held.delete(attempt.assignment.job);
  }
}
