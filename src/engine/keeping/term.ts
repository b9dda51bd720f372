/**
 * What one server does for all (engine rule 27), step by step: each of its transactions begins with a look
 * whether it leads still.
 */
import type { Sql, Transaction } from "../../db/client.ts";
import { holdRole, stillLeads } from "../../db/statements/replicas.ts";
import type { EngineContext } from "../context.ts";
import { transact } from "../pipeline.ts";

/** A step is far shorter; whoever dies in one is followed after this long. */
const SECONDS = 60;
/** Its chunks wait for nobody: who holds a row that long keeps it until the next time. */
const LOCK_TIMEOUT = "2s";

export class Term {
  readonly #context: EngineContext;
  readonly #role: string;

  constructor(context: EngineContext, role: string) {
    this.#context = context;
    this.#role = role;
  }

  /** Takes the role, or keeps it for another while. False where another server has it. */
  async hold(): Promise<boolean> {
    return (await this.#take()) !== null;
  }

  /** One transaction. Null where another server leads. */
  async act<R>(sql: Sql, work: (tx: Transaction) => Promise<R>): Promise<R | null> {
    const term = await this.#take();
    if (term === null) return null;
    return await transact(sql, async (tx) => {
      await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
      return (await stillLeads(tx, this.#role, term)) ? await work(tx) : null;
    });
  }

  #take(): Promise<number | null> {
    const { database, replicaId } = this.#context;
    return holdRole(database.beats, this.#role, replicaId, SECONDS);
  }
}
