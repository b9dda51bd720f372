/** Freeing of slots; items are "worker id/slot/job id": a slot that took another job meanwhile is left alone. */
import { seenFleet } from "../../accounts/asked_orgs.ts";
import { may } from "../../core/scope.ts";
import { PageError } from "../../web/errors.ts";
import { plural } from "../../web/format.ts";
import { noneSeen } from "../../web/forms/demanded_org.ts";
import { labelSlots, type NamedSlot } from "../../web/service/slots.ts";
import {
  type Deed,
  type DeedAsk,
  everywhere,
  type Hit,
  operatedOrgs,
  type Refusal,
  some,
  UUID,
} from "./deed.ts";

const FREED =
  "Their attempts are asked to end, then terminated, then killed. A slot is free when its worker says so, which may take as long as the job's own grace time.";

type Labelled = NamedSlot & { label: string; job_name: string };

/** Throws 404 for a worker that there never was, or that the caller does not see. */
async function slotsOf({ deps, scope, items }: DeedAsk): Promise<Labelled[]> {
  const slots = items.map(slotOf);
  const labels = await labelSlots(deps.database.reads, seenFleet(scope), slots);
  return slots.map((slot, at) => {
    const { worker, job } = labels[at]!;
    if (worker === null) throw noneSeen("worker", slot.worker);
    return { ...slot, label: `${worker}, slot ${slot.slot}`, job_name: job ?? "" };
  });
}

const free: Deed = {
  ...{ tab: "workers", verb: "Free", isDangerous: true, mayRequeue: true, effect: FREED },
  preview: async (ask) => {
    const slots = await slotsOf(ask);
    const title = `Free ${slots.length === 1 ? slots[0]!.label : plural(slots.length, "slot")}?`;
    const sentence = `Stops ${plural(slots.length, "running job")}.`;
    const hits = slots.map(({ label, job_name: value }): Hit => ({ label, value }));
    return { title, sentence, hits: some(hits), affected: slots.length };
  },
  run: async (ask) => {
    const { deps, scope, author, reason, requeue } = ask;
    const operated = [...deps.directory.all].filter(({ id }) => may(scope, id, "operate"));
    const orgs = scope.isSuperuser ? ("all" as const) : operated.map(({ id }) => id);
    const refused: Refusal[] = [];
    let affected = 0;
    for (const { label, job_name: name, ...slot } of await slotsOf(ask)) {
      const by = { orgs, actor: author };
      const result = await deps.engine.operating.slots.free(slot, { reason, requeue }, by);
      if (result.ok) {
        affected += result.affected;
        continue;
      }
      if (ask.items.length === 1) {
        throw new PageError(result.code === "forbidden" ? 403 : 409, "Not freed", result.reason);
      }
      // The others are none the worse for it.
      refused.push({ label: name === "" ? label : `${label} (${name})`, reason: result.reason });
    }
    return { affected, refused };
  },
  done: (n) => `Asked ${plural(n, "job")} to end.`,
  none: "Nothing ran there any more.",
};

const freeAll: Deed = {
  ...{ tab: "workers", verb: "Free all", isDangerous: true, isOfAll: true, mayRequeue: true },
  ...{ effect: FREED, done: free.done, none: free.none! },
  preview: async (ask) => {
    let affected = 0;
    for (const org of operatedOrgs(ask))
      affected += await ask.deps.engine.operating.slots.count(org);
    const sentence = `Stops ${plural(affected, "running job")}${everywhere(ask.org)}.`;
    return { title: `Free all slots${everywhere(ask.org)}?`, sentence, hits: [], affected };
  },
  run: async (ask) => {
    const { author, reason, requeue, deps } = ask;
    let affected = 0;
    for (const org of operatedOrgs(ask)) {
      affected += await deps.engine.operating.slots.freeAll(org, { reason, requeue }, author);
    }
    return { affected };
  },
};

function slotOf(item: string): NamedSlot {
  const found = /^([0-9a-f-]{36})\/([1-9]\d{0,5})\/([0-9a-f-]{36})$/.exec(item);
  if (!found || !UUID.test(found[1]!) || !UUID.test(found[3]!)) {
    throw new PageError(422, "No slot is meant", "Go back, and tick the slots you mean.");
  }
  return { worker: found[1]!, slot: Number(found[2]), job: found[3]! };
}

export const SLOT_DEEDS: Readonly<Record<string, Deed>> = { free, "free-all": freeAll };
