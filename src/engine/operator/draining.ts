/** Switches the draining of the whole instance, with its audit row. */
import { type Actor, actorName } from "../../core/author.ts";
import type { Transaction } from "../../db/client.ts";
import { setDraining } from "../../db/statements/switches.ts";
import { audit } from "./audit.ts";

/** False: it was so already, and stays so in the name of whoever did it. */
export async function switchDraining(
  tx: Transaction,
  enabled: boolean,
  actor: Actor,
  reason: string | null,
): Promise<boolean> {
  const was = await setDraining(tx, enabled, actorName(actor), reason);
  if (was === null) return false;
  const before = enabled ? {} : { drained_by: was.by, drain_reason: was.reason };
  await audit(tx, actor, {
    ...{
      org: null,
      action: "instance.drain",
      objectKind: "instance",
      objectId: "instance",
      reason,
    },
    ...{ before: { draining: !enabled, ...before }, after: { draining: enabled } },
  });
  return true;
}
