/** Pause, resume, run and delete of schedules; items are their ids. */
import type { Ability } from "../../core/scope.ts";
import { InvalidInput, NotFound } from "../../engine/engine.ts";
import { PageError } from "../../web/errors.ts";
import { plural } from "../../web/format.ts";
import { countSchedules } from "../../web/schedules/rows.ts";
import { requireScheduleOf } from "../../web/schedules/whose.ts";
import {
  type Deed,
  type DeedAsk,
  type DeedRun,
  type Done,
  everywhere,
  mustOperate,
  operatedOrgs,
  type Refusal,
  shown,
} from "./deed.ts";

function switchSchedules(to: "pause" | "resume"): Deed {
  const verb = to === "pause" ? "Pause" : "Resume";
  return {
    ...{ tab: "schedules", verb, undo: `${to === "pause" ? "resume" : "pause"}-schedules` },
    effect: SCHEDULE_EFFECTS[to],
    preview: async (ask) => {
      const names = await namesOf(ask, "operate");
      const title = `${verb} ${names.length === 1 ? names[0] : plural(names.length, "schedule")}?`;
      const sentence = `${verb}s ${plural(names.length, "schedule")}.`;
      return { title, sentence, hits: shown(names), affected: names.length };
    },
    run: (ask) =>
      forEach(ask, "operate", (id) => ask.deps.engine.schedules[to](id, ask.author, ask.reason)),
    done: (n) => `${verb}d ${plural(n, "schedule")}.`,
  };
}

const SCHEDULE_EFFECTS = {
  pause: "They submit nothing until somebody resumes them. Their runs go on.",
  resume:
    "They go on from now; their catch-up policy says what becomes of the due times of the pause.",
};

function switchAllSchedules(to: "pause" | "resume"): Deed {
  const verb = to === "pause" ? "Pause all" : "Resume all";
  return {
    ...{ tab: "schedules", verb, isOfAll: true, effect: SCHEDULE_EFFECTS[to] },
    preview: async (ask) => {
      const counts = await countAll(ask);
      const affected = to === "pause" ? counts.running : counts.paused;
      const [word, all] = [`${to}s`, plural(affected, "schedule")];
      const sentence = `${word[0]!.toUpperCase()}${word.slice(1)} ${all}${everywhere(ask.org)}.`;
      return { title: `${verb} schedules${everywhere(ask.org)}?`, sentence, hits: [], affected };
    },
    run: async (ask) => {
      let affected = 0;
      for (const org of operatedOrgs(ask)) {
        affected += await ask.deps.engine.schedules.switchAll(org, to, ask.author, ask.reason);
      }
      return { affected };
    },
    done: (n) => `${to === "pause" ? "Paused" : "Resumed"} ${plural(n, "schedule")}.`,
  };
}

const runSchedule: Deed = {
  ...{ tab: "schedules", verb: "Run now" },
  effect: "One run beside those that are due, of paused ones too. Their overlap policy holds.",
  preview: async (ask) => {
    const names = await namesOf(ask, "operate");
    const title = `Run ${names.length === 1 ? names[0] : plural(names.length, "schedule")} now?`;
    const sentence = `Submits one run of ${plural(names.length, "schedule")}.`;
    return { title, sentence, hits: shown(names), affected: names.length };
  },
  run: (ask) =>
    forEach(ask, "operate", async (id) => {
      const result = await ask.deps.engine.schedules.trigger(id, ask.author, ask.reason);
      return result.ok || { title: "Not run", reason: result.reason };
    }),
  done: (n) => `Asked for ${plural(n, "run")}.`,
};

const removeSchedule: Deed = {
  ...{ tab: "schedules", verb: "Delete", isDangerous: true },
  effect:
    "What they have submitted goes on, and stays in the history. A deleted schedule does not come back.",
  preview: async (ask) => {
    const names = await namesOf(ask, "manage");
    const title = `Delete ${names.length === 1 ? names[0] : plural(names.length, "schedule")}?`;
    const sentence = `Deletes ${plural(names.length, "schedule")}.`;
    return { title, sentence, hits: shown(names), affected: names.length };
  },
  run: (ask) =>
    forEach(ask, "manage", async (id) => {
      await ask.deps.engine.schedules.remove(id, ask.author, ask.reason);
      return true;
    }),
  done: (n) => `Deleted ${plural(n, "schedule")}.`,
};

async function namesOf(ask: DeedAsk, ability: Ability): Promise<string[]> {
  return (await namedOf(ask, ability)).map(({ label }) => label);
}

function namedOf({ deps, scope, items }: DeedAsk, ability: Ability) {
  return Promise.all(
    items.map(async (id) => {
      const { org, name } = await requireScheduleOf(deps, scope, id);
      mustOperate(deps, scope, org, ability);
      return { id, label: `${org} / ${name}` };
    }),
  );
}

/** True where it changed something, false where it was so already. */
type Fate = boolean | { title: string; reason: string };

/** Of several, what cannot be done is told, and the others are done all the same. */
async function forEach(
  ask: DeedRun,
  ability: Ability,
  act: (id: string) => Promise<Fate>,
): Promise<Done> {
  const changed: string[] = [];
  const refused: Refusal[] = [];
  for (const { id, label } of await namedOf(ask, ability)) {
    const fate = await act(id).catch((error: unknown): Fate => {
      const isTold = error instanceof NotFound || error instanceof InvalidInput;
      if (!isTold || ask.items.length === 1) throw error;
      return { title: "", reason: error.message };
    });
    if (fate === true) changed.push(id);
    if (typeof fate === "boolean") continue;
    if (ask.items.length === 1) throw new PageError(409, fate.title, fate.reason);
    refused.push({ label, reason: fate.reason });
  }
  return { affected: changed.length, changed, refused };
}

async function countAll(ask: DeedAsk): Promise<{ running: number; paused: number }> {
  const orgs = operatedOrgs(ask).map((name) => name && ask.deps.directory.byName(name)!.id);
  const wanted = orgs.some((org) => org === null) ? "all" : (orgs as number[]);
  return countSchedules(ask.deps.database.reads, wanted);
}

export const SCHEDULE_DEEDS: Readonly<Record<string, Deed>> = {
  "pause-schedules": switchSchedules("pause"),
  "resume-schedules": switchSchedules("resume"),
  "pause-all-schedules": switchAllSchedules("pause"),
  "resume-all-schedules": switchAllSchedules("resume"),
  "run-schedules": runSchedule,
  "delete-schedules": removeSchedule,
};
