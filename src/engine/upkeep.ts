/**
 * Upkeep that one server does for all, by a term (engine rule 27): dedupe keys that name nothing are
 * forgotten, and counters are counted anew every night.
 */
import type { Transaction } from "../db/client.ts";
import {
  claimRecount,
  findDrift,
  recountIsFresh,
  repairDrift,
} from "../db/statements/check_counters.ts";
import { idleJobKeys, type JobKeyPlace, pruneJobKeys } from "../db/statements/prune_job_keys.ts";
import { holdRole, stillLeads } from "../db/statements/replicas.ts";
import type { EngineContext } from "./context.ts";
import { transact } from "./pipeline.ts";
import { Loop } from "./service.ts";

const ROLE_SECONDS = 15;

/** A role of its own for each, so that none waits for another's. */
function leading(
  context: EngineContext,
  own: { name: string; everyMs: number },
  run: (act: <R>(work: (tx: Transaction) => Promise<R>) => Promise<R | null>) => Promise<unknown>,
): Loop {
  const { beats } = context.database;
  return new Loop({
    ...own,
    run: async () => {
      const term = await holdRole(beats, own.name, context.replicaId, ROLE_SECONDS);
      if (term === null) return false;
      return run((work) =>
        transact(beats, async (tx) => ((await stillLeads(tx, own.name, term)) ? work(tx) : null)),
      );
    },
    onError: (error) => context.log.warn({ error: String(error) }, `${own.name} failed`),
  });
}

const KEYS_EVERY_MS = 5_000;
/** Keys looked at a round; removed in one transaction. */
const KEYS_MAX = 5_000;
const FIRST: JobKeyPlace = { org: 0, key: "" };

export function createKeyPruner(context: EngineContext): Loop {
  let after = FIRST;
  return leading(context, { name: "key pruner", everyMs: KEYS_EVERY_MS }, async (act) => {
    const { idle, last } = await idleJobKeys(context.database.beats, after, KEYS_MAX);
    const gone = idle.length > 0 ? await act((tx) => pruneJobKeys(tx, idle)) : 0;
    after = last ?? FIRST;
    // Where much is to be removed it goes on at once, else through all keys at its own pace.
    return last !== null && (gone ?? 0) > KEYS_MAX / 10;
  });
}

const RECOUNT_LOOK_MS = 60_000;
const RECOUNT_SECONDS = 86_400;
/** Of what drifted, so many are named in the log. */
const NAMED_MAX = 20;

export function createRecounter(context: EngineContext): Loop {
  return leading(context, { name: "recounter", everyMs: RECOUNT_LOOK_MS }, async (act) => {
    const { beats, reads } = context.database;
    if (await recountIsFresh(beats, RECOUNT_SECONDS)) return;
    const drift = await findDrift(reads);
    // Meanwhile the role may have gone to another, who has found the same.
    const repaired = await act(async (tx) => {
      const claimed = await claimRecount(tx, RECOUNT_SECONDS);
      if (claimed) await repairDrift(tx, drift);
      return claimed;
    });
    if (!repaired || drift.length === 0) return;
    const facts = { counters: drift.length, first: drift.slice(0, NAMED_MAX) };
    context.log.error(facts, "counters had drifted from what they count and were repaired");
  });
}
