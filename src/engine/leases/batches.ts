/**
 * Forgets lease batches (`lease_batch`) that nothing lives of. Our own are counted in memory and
 * removed when their last lease has ended. What nobody counts (a server died, a worker resumed) is
 * looked at in turns; what few live of is shortened, so that readers do not walk over the dead.
 */
import {
  type BatchPlace,
  FIRST_BATCH,
  removeBatches,
  tidyBatches,
} from "../../db/statements/lease_batches.ts";
import type { EngineContext } from "../context.ts";
import { Loop, type Service } from "../service.ts";

const EVERY_MS = 500;
/** Every so many rounds one looks at what others left. */
const TIDY_EVERY = 10;
const TIDY_MAX = 100;

export class Batches implements Service {
  readonly name = "batches";
  readonly #context: EngineContext;
  readonly #loop: Loop;
  #emptied: BatchPlace[] = [];
  #round = 0;
  #after = FIRST_BATCH;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#loop = new Loop({
      name: this.name,
      everyMs: EVERY_MS,
      run: () => this.#run(),
      onError: (error) => context.log.warn({ error: String(error) }, "batches were not removed"),
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** All its leases have ended, and that is committed. */
  emptied(batch: BatchPlace): void {
    this.#emptied.push(batch);
  }

  async #run(): Promise<boolean> {
    const { beats } = this.#context.database;
    const emptied = this.#emptied;
    this.#emptied = [];
    // Lost where this fails: the look at what others left finds them.
    await removeBatches(beats, emptied);
    this.#round += 1;
    if (this.#round % TIDY_EVERY !== 0) return false;
    const { changed, last } = await tidyBatches(beats, this.#after, TIDY_MAX);
    this.#after = last ?? FIRST_BATCH;
    // Where much is to be removed it goes on at once, else through all at its own pace.
    if (changed * 2 < TIDY_MAX) return false;
    this.#round -= 1;
    return true;
  }
}
