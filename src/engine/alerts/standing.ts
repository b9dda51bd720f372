/** What fires now, kept at hand on every server: the banner of a page asks nothing of the database. */

import { type FiringRow, readFiring } from "../../db/statements/alerts/states.ts";
import type { EngineContext } from "../context.ts";
import { Loop, type Service } from "../service.ts";

const LOOK_MS = 30_000;

export type StandingAlert = FiringRow;

export class Standing implements Service {
  readonly name = "firing alerts";
  readonly #loop: Loop;
  #all: readonly StandingAlert[] = [];

  constructor(context: EngineContext) {
    this.#loop = new Loop({
      name: this.name,
      everyMs: LOOK_MS,
      run: async () => {
        this.#all = await readFiring(context.database.side);
      },
      onError: (error) => context.log.warn({ error: String(error) }, "firing alerts were not read"),
    });
  }

  get all(): readonly StandingAlert[] {
    return this.#all;
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  poke(): void {
    this.#loop.poke();
  }
}
