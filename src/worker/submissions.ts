/**
 * Jobs that running jobs add to their workflows. A batch has an id of its own within the attempt,
 * and is sent again after a reconnect: the server adds it once.
 */
import type { ServerFrame } from "../messages/frames.ts";
import type { Attempt } from "./attempt.ts";
import type { Wire } from "./outbox.ts";

interface Pending {
  attempt: Attempt;
  frame: string;
  resolve: (ids: Record<string, string>) => void;
  reject: (error: Error) => void;
}

export class Submissions {
  readonly #wire: Wire;
  readonly #pending = new Map<string, Pending>();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  submit(attempt: Attempt, batch: string, jobsJson: string): Promise<Record<string, string>> {
    if (attempt.forgotten || attempt.report !== null) {
      return Promise.reject(new Error("the attempt has ended; it can add no jobs"));
    }
    const key = `${attempt.assignment.token}/${batch}`;
    if (this.#pending.has(key)) {
      return Promise.reject(new Error(`batch ${batch} is already on its way`));
    }
    const head = `{"type":"submit",${attempt.leaseJson()},"batch":${JSON.stringify(batch)}`;
    const frame = `${head},"jobs":${jobsJson}}`;
    return new Promise((resolve, reject) => {
      this.#pending.set(key, { attempt, frame, resolve, reject });
      if (this.#wire.ready()) this.#wire.send(frame);
    });
  }

  answered(frame: Extract<ServerFrame, { type: "submitted" }>): void {
    const key = `${frame.token}/${frame.batch}`;
    const pending = this.#pending.get(key);
    if (!pending) return;
    this.#pending.delete(key);
    if (frame.error !== undefined) pending.reject(new Error(frame.error));
    else pending.resolve(frame.ids ?? {});
  }

  sendAgain(): void {
    for (const pending of this.#pending.values()) this.#wire.send(pending.frame);
  }

  /** The attempt is over: nobody waits for its answers. */
  abandon(attempt: Attempt): void {
    if (this.#pending.size === 0) return;
    for (const [key, pending] of this.#pending) {
      if (pending.attempt !== attempt) continue;
      this.#pending.delete(key);
      pending.reject(new Error("the attempt ended before its jobs were added"));
    }
  }
}
