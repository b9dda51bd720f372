/**
 * A draining belongs to the servers that were there when it was asked for: where a server starts and none
 * of them is left, it ends, and everything is assigned again. A server that has died a moment ago may seem
 * to live for some seconds: until that is clear, the draining stays.
 */
import type { Author } from "../../core/author.ts";
import { lookAtDraining } from "../../db/statements/switches.ts";
import type { EngineContext } from "../context.ts";
import { transact } from "../pipeline.ts";
import type { Service } from "../service.ts";
import { Loop } from "../service.ts";
import { switchDraining } from "./draining.ts";

const LOOK_MS = 1_000;
/** Nobody's doing: the audit log names the server. */
const SERVER: Author = { name: "server", user: null, token: null, address: null };
const REASON = "A server started, and no other was alive.";

export class DrainReset implements Service {
  readonly name = "drain reset";
  readonly #context: EngineContext;
  readonly #switched: () => Promise<void>;
  readonly #loop: Loop;
  #decided = false;

  constructor(context: EngineContext, switched: () => Promise<void>) {
    this.#context = context;
    this.#switched = switched;
    this.#loop = new Loop({
      name: this.name,
      everyMs: LOOK_MS,
      run: async () => {
        if (!this.#decided) await this.#look();
      },
      onError: (error) => context.log.warn({ error: String(error) }, "draining was not looked at"),
    });
  }

  async start(): Promise<void> {
    await this.#look();
    if (!this.#decided) this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<void> {
    const { database, replicaId, log } = this.#context;
    const isEnded = await transact(database.beats, async (tx) => {
      const { left, others, unsure } = await lookAtDraining(tx, replicaId);
      this.#decided = !left || others || !unsure;
      return left && !unsure && (await switchDraining(tx, false, SERVER, REASON));
    });
    if (!this.#decided) return;
    void this.#loop.stop();
    if (!isEnded) return;
    log.warn({}, "the instance was being drained by servers that are gone: that has ended");
    await this.#switched();
  }
}
