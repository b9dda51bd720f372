/** Stop, pause and resume of queues; items are "organization/queue". */
import type { QueueAsk, QueueName } from "../../engine/operator/queue_names.ts";
import { count, plural } from "../../web/format.ts";
import { noneSeen } from "../../web/forms/demanded_org.ts";
import {
  type Deed,
  type DeedAsk,
  type DeedPreview,
  type DeedRun,
  type Done,
  everywhere,
  mustOperate,
  operatedOrgs,
  shown,
  some,
} from "./deed.ts";

function queuesOf({ deps, scope, items }: DeedAsk): QueueName[] {
  return items.map((item) => {
    const at = item.indexOf("/");
    const [org, queue] = [item.slice(0, at), item.slice(at + 1)];
    if (at < 1 || queue === "") throw noneSeen("queue", item);
    return { org: mustOperate(deps, scope, org), queue };
  });
}

async function previewStop(ask: DeedAsk, asked: QueueAsk[]): Promise<DeedPreview> {
  const found = await Promise.all(asked.map((one) => ask.deps.engine.operating.stops.preview(one)));
  const queues = found.flatMap((one) => one.queues).sort((a, b) => b.affected - a.affected);
  const affected = queues.reduce((n, one) => n + one.affected, 0);
  const where = plural(queues.length, "queue");
  return {
    title:
      ask.items.length === 1 ? `Stop ${ask.items[0]}?` : `Stop ${where}${everywhere(ask.org)}?`,
    sentence:
      affected === 0
        ? "Nothing is pending there now."
        : `Stops ${plural(affected, "pending job")} in ${where}.`,
    hits: some(
      queues.map(({ org, name, affected: n }) => ({
        ...{ label: `${org} / ${name}`, value: count(n) },
      })),
    ),
    affected,
  };
}

async function runStop(ask: DeedRun, asked: QueueAsk[]): Promise<Done> {
  const { deps, author, reason } = ask;
  const operations: string[] = [];
  let affected = 0;
  for (const one of asked) {
    const stopped = await deps.engine.operating.stops.begin(one, { reason }, author);
    if (stopped.operation !== null) operations.push(stopped.operation);
    affected += stopped.affected;
  }
  return { affected, operations };
}

const STOPPED =
  "From this moment none of them is given to a worker. They end as cancelled, their workflows with them; it begins 10 seconds later and can be called off whole until then. Running jobs run on, and what is submitted from now on is left alone.";
const stopDone = (n: number) => `Stopping ${plural(n, "pending job")}: see below.`;
const NONE = "Nothing was pending.";
/** One operation: of several organizations too, for whoever sees what belongs to all. */
function askedQueues(ask: DeedAsk): QueueAsk[] {
  const queues = queuesOf(ask);
  if (ask.scope.isSuperuser) return [{ queues }];
  return [...Map.groupBy(queues, ({ org }) => org).values()].map((own) => ({ queues: own }));
}
const askedOrgs = (ask: DeedAsk): QueueAsk[] =>
  operatedOrgs(ask).map((org) => ({ org, queues: null }));

const stop: Deed = {
  ...{ tab: "queues", verb: "Stop", isDangerous: true, effect: STOPPED, done: stopDone },
  none: NONE,
  preview: (ask) => previewStop(ask, askedQueues(ask)),
  run: (ask) => runStop(ask, askedQueues(ask)),
};

const stopAll: Deed = {
  ...{ tab: "queues", verb: "Stop all", isDangerous: true, isOfAll: true, effect: STOPPED },
  ...{ done: stopDone, none: NONE },
  preview: (ask) => previewStop(ask, askedOrgs(ask)),
  run: (ask) => runStop(ask, askedOrgs(ask)),
};

function switchQueues(to: "pause" | "resume"): Deed {
  const verb = to === "pause" ? "Pause" : "Resume";
  return {
    ...{ tab: "queues", verb, undo: to === "pause" ? "resume" : "pause" },
    effect:
      to === "pause"
        ? "Nothing of them is given to a worker until somebody resumes them. Jobs can still be submitted, and running ones finish."
        : "What waits in them is looked at at once.",
    preview: async (ask) => {
      const names = queuesOf(ask).map(({ org, queue }) => `${org} / ${queue}`);
      const title = `${verb} ${names.length === 1 ? names[0] : plural(names.length, "queue")}?`;
      const sentence = `${verb}s ${plural(names.length, "queue")}.`;
      return { title, sentence, hits: shown(names), affected: names.length };
    },
    run: async (ask) => {
      const changed: string[] = [];
      for (const { org, queue } of queuesOf(ask)) {
        const { engine } = ask.deps;
        const act = to === "pause" ? engine.pauseQueue : engine.resumeQueue;
        if (await act.call(engine, org, queue, ask.author, ask.reason)) {
          changed.push(`${org}/${queue}`);
        }
      }
      return { affected: changed.length, changed };
    },
    done: (n) => `${verb}d ${plural(n, "queue")}.`,
  };
}

export const QUEUE_DEEDS: Readonly<Record<string, Deed>> = {
  stop,
  "stop-all": stopAll,
  pause: switchQueues("pause"),
  resume: switchQueues("resume"),
};
