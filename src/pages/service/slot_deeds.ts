/** Freeing of slots; items are "worker id/slot/job id": a slot that took another job meanwhile is left alone. */
import { may } from "../../core/scope.ts";
import { PageError } from "../../web/errors.ts";
import { plural } from "../../web/format.ts";
import { type Deed, everywhere, operatedOrgs, shown } from "./deed.ts";

const FREED =
  "Their attempts are asked to end, then terminated, then killed. A slot is free when its worker says so, which may take as long as the job's own grace time.";

const free: Deed = {
  ...{ tab: "workers", verb: "Free", isDangerous: true, mayRequeue: true, effect: FREED },
  preview: async ({ items }) => {
    const labels = items.map((item) => `slot ${slotOf(item).slot}`);
    const title = `Free ${labels.length === 1 ? labels[0] : plural(labels.length, "slot")}?`;
    const sentence = `Stops ${plural(labels.length, "running job")}.`;
    return { title, sentence, hits: shown(labels), affected: labels.length };
  },
  run: async ({ deps, scope, items, author, reason, requeue }) => {
    const operated = [...deps.directory.all].filter(({ id }) => may(scope, id, "operate"));
    const orgs = scope.isSuperuser ? ("all" as const) : operated.map(({ id }) => id);
    let affected = 0;
    for (const item of items) {
      const options = { reason, requeue };
      const result = await deps.engine.operating.slots.free(slotOf(item), options, {
        orgs,
        actor: author,
      });
      if (!result.ok) {
        const status = result.code === "forbidden" ? 403 : 409;
        throw new PageError(status, "Not freed", result.reason);
      }
      affected += result.affected;
    }
    return { affected };
  },
  done: (n) => (n === 0 ? "Nothing ran there any more." : `Asked ${plural(n, "job")} to end.`),
};

const freeAll: Deed = {
  ...{ tab: "workers", verb: "Free all", isDangerous: true, isOfAll: true, mayRequeue: true },
  effect: FREED,
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
  done: free.done,
};

function slotOf(item: string): { worker: string; slot: number; job: string } {
  const found = /^([0-9a-f-]{36})\/([1-9]\d{0,5})\/([0-9a-f-]{36})$/.exec(item);
  if (!found) throw new PageError(422, "No slot is meant", "Go back, and tick the slots you mean.");
  return { worker: found[1]!, slot: Number(found[2]), job: found[3]! };
}

export const SLOT_DEEDS: Readonly<Record<string, Deed>> = { free, "free-all": freeAll };
