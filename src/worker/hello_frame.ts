/** Makes the hello: who this worker is, and every attempt that it still answers for. */
import { Buffer } from "node:buffer";
import process from "node:process";
import { FRAME_MAX_BYTES, hello, PROTOCOL_VERSION } from "../messages/frames.ts";
import type { Attempt } from "./attempt.ts";

export interface Identity {
  version: string;
  workerId: string;
  token: string;
  name: string;
  host: string;
  pool: string;
  concurrency: number;
  system?: string;
  features: readonly string[];
  kinds: readonly ("exec" | "handler")[];
  handlers: readonly string[];
  resources: { cpus?: number; ram_mb?: number };
}

/** `{"job":"…36","attempt":1000,"token":"…36","started":false},` with room to spare. */
const RUNNING_BYTES = 126;
const SLACK_BYTES = 4096;
/** The frame's own bound on each list. */
const LIST_MAX = 20_000;

export class HelloFrames {
  readonly #head: string;
  readonly #headBytes: number;
  /** Attempts that one hello can name, which bounds what a worker may hold at a time. */
  readonly capacity: number;

  /** Throws one error that says everything that is wrong with the identity. */
  constructor(identity: Identity) {
    const frame = {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      version: identity.version,
      worker_id: identity.workerId,
      token: identity.token,
      name: identity.name,
      pid: process.pid,
      host: identity.host,
      pool: identity.pool,
      concurrency: identity.concurrency,
      system: identity.system,
      features: identity.features,
      kinds: identity.kinds,
      handlers: identity.handlers,
      resources: identity.resources,
    };
    const checked = hello.safeParse(frame);
    if (!checked.success) {
      const issues = checked.error.issues.map(
        (issue) => `${issue.path.join(".")}: ${issue.message}`,
      );
      throw new Error(`the worker cannot introduce itself: ${issues.join("; ")}`);
    }
    this.#head = JSON.stringify(frame).slice(0, -1);
    this.#headBytes = Buffer.byteLength(this.#head);
    const room = FRAME_MAX_BYTES - this.#headBytes - SLACK_BYTES;
    this.capacity = Math.min(LIST_MAX, Math.floor(room / RUNNING_BYTES));
    if (this.capacity < identity.concurrency) {
      throw new Error(
        `concurrency ${identity.concurrency} is too much for one worker: a hello of ` +
          `${FRAME_MAX_BYTES} bytes can name ${Math.max(0, this.capacity)} attempts; use fewer ` +
          `slots or handlers, or several workers`,
      );
    }
  }

  /**
   * Ends without a log go as `unrecorded` as far as they fit. Every other attempt goes as running:
   * an end that has a log must come after the log's last byte, which the server may not have.
   */
  build(attempts: Iterable<Attempt>, draining: boolean): { text: string; named: Set<Attempt> } {
    const running: string[] = [];
    const ends: Attempt[] = [];
    for (const attempt of attempts) {
      if (attempt.report !== null && !attempt.log?.bytes) ends.push(attempt);
      else running.push(runningJson(attempt));
    }
    let room = FRAME_MAX_BYTES - this.#headBytes - SLACK_BYTES;
    room -= (running.length + ends.length) * RUNNING_BYTES;
    const unrecorded: string[] = [];
    const named = new Set<Attempt>();
    for (const attempt of ends) {
      const size = Buffer.byteLength(attempt.report!) + 1 - RUNNING_BYTES;
      if (size > room) {
        running.push(runningJson(attempt));
        continue;
      }
      room -= size;
      named.add(attempt);
      unrecorded.push(attempt.report!);
    }
    const lists = `"running":[${running.join(",")}],"unrecorded":[${unrecorded.join(",")}]`;
    return { text: `${this.#head},"draining":${draining},${lists}}`, named };
  }
}

function runningJson(attempt: Attempt): string {
  return `{${attempt.leaseJson()},"started":${attempt.started}}`;
}
