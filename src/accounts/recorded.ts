/**
 * What better-auth changes and the audit log keeps: both in one transaction, which is better-auth's. Its
 * hooks run inside it but are not handed it, so that it is passed to them around the library.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { drizzle } from "drizzle-orm/postgres-js";
import { v7 as uuidv7 } from "uuid";
import type { Author } from "../core/author.ts";
import type { Transaction } from "../db/client.ts";
import { writeAudit } from "../db/statements/audit.ts";
import { announce } from "./announce.ts";

type Drizzle = ReturnType<typeof drizzle>;

/** Who asks better-auth for a change (a provider, while it is not known whom it brings), by which session. */
export interface Asking {
  author: Author;
  session: string | null;
}

/** Of a person, as better-auth hands it to its hook before it is written. */
interface NewUser {
  name: string;
  email: string;
}

export class Recorded {
  readonly #asking = new AsyncLocalStorage<Asking>();
  readonly #transaction = new AsyncLocalStorage<Transaction>();

  /** Everything that `work` leads to is done in this name. */
  as<T>(asking: Asking, work: () => Promise<T>): Promise<T> {
    return this.#asking.run(asking, work);
  }

  /** The same database, whose transactions are known to the hooks that run inside. */
  database(db: Drizzle): Drizzle {
    const transaction: Drizzle["transaction"] = (work, config) =>
      db.transaction((tx) => {
        // What drizzle runs on, which is the driver that all of ours is written for.
        const { client } = tx._.session as unknown as { client: Transaction };
        return this.#transaction.run(client, () => work(tx));
      }, config);
    return Object.assign(Object.create(db) as Drizzle, { transaction });
  }

  /** For better-auth. Whatever they throw undoes the change that they stand before. */
  readonly hooks = {
    user: {
      create: {
        before: async (user: NewUser) => {
          const id = uuidv7();
          await this.#personCreated({ id, name: user.name, email: user.email });
          return { data: { ...user, id } };
        },
      },
    },
    account: {
      update: {
        before: async (account: { password?: string | null | undefined }) => {
          // Tokens of a provider are renewed at each sign-in.
          if (account.password !== undefined) await this.#passwordChanged();
        },
      },
    },
  };

  async #personCreated({ id, name, email }: NewUser & { id: string }): Promise<void> {
    const { author } = this.#now();
    const own = { ...author, name, user: id };
    const object = { org: null, objectKind: "person", objectId: id };
    const after = { name, email, is_superuser: false, provider: author.name };
    await writeAudit(this.#tx(), [{ ...object, author: own, action: "person.create", after }]);
  }

  async #passwordChanged(): Promise<void> {
    const { author, session } = this.#now();
    if (author.user === null) throw new Error("nobody's password was to be changed");
    const object = { org: null, objectKind: "person", objectId: author.user };
    await writeAudit(this.#tx(), [{ ...object, author, action: "person.password" }]);
    await announce(this.#tx(), { person: author.user });
    if (session !== null) await announce(this.#tx(), { session });
  }

  #now(): Asking {
    const asking = this.#asking.getStore();
    if (asking === undefined) throw new Error("somebody's account changes in nobody's name");
    return asking;
  }

  #tx(): Transaction {
    const tx = this.#transaction.getStore();
    if (tx === undefined) throw new Error("somebody's account changes outside a transaction");
    return tx;
  }
}
