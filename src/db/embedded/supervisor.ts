/**
 * Keeps a running PostgreSQL running: sees that it died, whoever killed it, and starts it again on
 * the same port, so that every pool simply reconnects. One that we took over is not our child, so
 * looking at the process is the way for both.
 */
import { boundLog } from "./log_file.ts";
import { type Postmaster, stopPostmaster } from "./postmaster.ts";
import { processIdentity } from "./process_identity.ts";
import { STOP_PATIENCE_MS } from "./take_over.ts";

export interface SupervisorOptions {
  logFile: string;
  /** Starts PostgreSQL again; rejects where it does not come up. */
  restart: () => Promise<Postmaster>;
  log: { info(text: string): void; warn(text: string): void };
}

const LOOK_EVERY_MS = 250;
const BOUND_LOG_EVERY_MS = 60_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;

export class Supervisor {
  #postmaster: Postmaster | undefined;
  #stopping = false;
  #working: Promise<void> | undefined;
  readonly #options: SupervisorOptions;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #listeners = new Set<() => void>();
  #wake: (() => void) | undefined;

  constructor(postmaster: Postmaster, options: SupervisorOptions) {
    this.#postmaster = postmaster;
    this.#options = options;
    this.#every(LOOK_EVERY_MS, () => this.#look());
    this.#every(BOUND_LOG_EVERY_MS, () => boundLog(options.logFile));
  }

  /** Undefined while PostgreSQL is down. */
  get pid(): number | undefined {
    return this.#postmaster?.pid;
  }

  /** Calls `listener` each time PostgreSQL died without being told to. */
  onExit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#wake?.();
    await this.#working;
    if (this.#postmaster) await stopPostmaster(this.#postmaster, STOP_PATIENCE_MS);
    this.#postmaster = undefined;
  }

  #every(ms: number, work: () => Promise<unknown>): void {
    const timer = setInterval(() => void work().catch(() => {}), ms);
    timer.unref();
    this.#timers.push(timer);
  }

  async #look(): Promise<void> {
    const watched = this.#postmaster;
    if (!watched || this.#stopping || this.#working) return;
    if ((await processIdentity(watched.pid)) === watched.identity) return;
    if (this.#postmaster !== watched || this.#stopping || this.#working) return;
    this.#postmaster = undefined;
    this.#options.log.warn(`PostgreSQL (process ${watched.pid}) is gone: it is started again.`);
    for (const listener of this.#listeners) listener();
    this.#working = this.#restart().finally(() => {
      this.#working = undefined;
    });
    await this.#working;
  }

  /** Tries until it works or we stop: without a database there is nothing else to do. */
  async #restart(): Promise<void> {
    for (let delay = FIRST_DELAY_MS; !this.#stopping; delay = Math.min(delay * 2, MAX_DELAY_MS)) {
      try {
        this.#postmaster = await this.#options.restart();
        this.#options.log.info(`PostgreSQL runs again (process ${this.#postmaster.pid}).`);
        return;
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        this.#options.log.warn(`PostgreSQL did not start; next try in ${delay / 1000} s. ${text}`);
        await this.#pause(delay);
      }
    }
  }

  /** Ends early when we stop. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
