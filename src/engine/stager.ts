/** The stager: jobs whose run_at or backoff is over go on. Any replica may do it. */
import { SECONDS_PER_POINT } from "../core/rank.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import { stageJobs } from "../db/statements/stage_jobs.ts";
import type { EngineContext } from "./context.ts";
import { Loop, type Service } from "./service.ts";

const EVERY_MS = 200;

export class Stager implements Service {
  readonly name = "stager";
  readonly #loop: Loop;

  constructor(context: EngineContext, ready: (rows: ReadyRow[]) => void) {
    this.#loop = new Loop({
      name: this.name,
      everyMs: EVERY_MS,
      run: async () => {
        const { rows, more } = await context.maintenance.pass(
          "staging",
          () => stageJobs(context.database.beats, SECONDS_PER_POINT),
          (done) => (done.rows.length > 0 ? { success: done.rows.length } : null),
        );
        if (rows.length === 0) return false;
        ready(rows);
        context.bus.tell("events.committed", {});
        return more;
      },
      onError: (error) => context.log.warn({ error: String(error) }, "staging failed"),
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}
