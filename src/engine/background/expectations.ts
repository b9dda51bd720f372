/** How often a name without a schedule is to run: said by people, with its audit row. */
import { type Actor, actorName } from "../../core/author.ts";
import type { Database } from "../../db/client.ts";
import {
  lockName,
  removeExpectation,
  type ToldExpectation,
  writeExpectation,
} from "../../db/statements/background/expectations.ts";
import { audit } from "../operator/audit.ts";
import { transact } from "../pipeline.ts";

export interface ExpectationChange {
  org: number;
  name: { id: number; name: string };
  /** Null: nothing is expected any more. */
  expected: ToldExpectation | null;
  reason?: string | undefined;
}

export class Expectations {
  readonly #database: Pick<Database, "side">;

  constructor(database: Pick<Database, "side">) {
    this.#database = database;
  }

  /** Whether anything changed: what was so already leaves no trace. */
  set({ org, name, expected, reason }: ExpectationChange, actor: Actor): Promise<boolean> {
    return transact(this.#database.side, async (tx) => {
      const before = await lockName(tx, name.id);
      if (same(before, expected)) return false;
      if (expected === null) await removeExpectation(tx, name.id);
      else await writeExpectation(tx, { org, name: name.id, by: actorName(actor) }, expected);
      await audit(tx, actor, {
        ...{ org, action: "name.expect", objectKind: "name", objectId: name.name, reason },
        ...{ before: before ?? {}, after: expected ?? {} },
      });
      return true;
    });
  }
}

function same(a: ToldExpectation | null, b: ToldExpectation | null): boolean {
  if (a === null || b === null) return a === b;
  return a.interval_seconds === b.interval_seconds && a.grace_seconds === b.grace_seconds;
}
