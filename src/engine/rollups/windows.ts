/**
 * Keeps what was usual on the instance lately at hand for scoring. Read on a beat of its own and after
 * each pass of this server's aggregator; a decision only looks at what was read last.
 */
import { bucketStart } from "../../core/metrics/buckets.ts";
import { type InstanceWindows, NO_WINDOWS, windowsOf } from "../../core/metrics/windows.ts";
import { averagesOf } from "../../core/scoring/calibration.ts";
import type { ScoringInstance } from "../../core/scoring/context.ts";
import { readProgress } from "../../db/statements/rollups/progress.ts";
import { readWindowCells } from "../../db/statements/rollups/read_windows.ts";
import type { EngineContext } from "../context.ts";
import { Loop, type Service } from "../service.ts";

const READ_MS = 30_000;
/** After a failure. */
const AGAIN_MS = 1_000;

export class Windows implements Service {
  readonly name = "windows";
  readonly #context: EngineContext;
  readonly #loop: Loop;
  #windows = NO_WINDOWS;
  #averages = averagesOf(NO_WINDOWS);
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#loop = new Loop({
      name: this.name,
      everyMs: READ_MS,
      run: () => this.#read(),
      onError: (error) => {
        context.log.warn({ error: String(error) }, "windows were not read");
        clearTimeout(this.#again);
        this.#again = setTimeout(() => this.#loop.poke(), AGAIN_MS);
      },
    });
    context.bus.on("rollups.computed", () => this.#loop.poke());
  }

  get windows(): InstanceWindows {
    return this.#windows;
  }

  /** What the rules go by. */
  get averages(): ScoringInstance["averages"] {
    return this.#averages;
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    clearTimeout(this.#again);
    return this.#loop.stop();
  }

  async #read(): Promise<void> {
    const { database, clock } = this.#context;
    const progress = await readProgress(database.reads);
    const end = progress ? bucketStart("minute", progress.completeUntil) : null;
    const cells = end === null ? [] : await readWindowCells(database.reads, end);
    this.#windows = windowsOf(cells, end, clock.now());
    this.#averages = averagesOf(this.#windows);
  }
}
