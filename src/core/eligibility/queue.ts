/** What stands against a job whatever the worker: its queue, or the whole instance. */
import type { InstanceFacts, QueueFacts } from "./facts.ts";
import { count, instant, number, quote } from "./phrases.ts";
import type { Veto } from "./veto.ts";

export function vetoDrainingInstance(instance: InstanceFacts): Veto | null {
  if (!instance.draining) return null;
  const reason = instance.drainReason?.trim() ? ` (${quote(instance.drainReason)})` : "";
  return {
    rule: "instance_draining",
    sentence:
      `The whole instance is being drained${doneBy(instance.drainedBy, instance.drainedAt)}${reason}: ` +
      "nothing is dispatched.",
    unblocks: "A superuser ends the draining.",
  };
}

export function vetoPausedQueue(queue: QueueFacts): Veto | null {
  if (queue.pausedAt === null) return null;
  const reason = queue.pauseReason?.trim() ? `: ${quote(queue.pauseReason)}` : "";
  return {
    rule: "queue_paused",
    sentence:
      `Queue ${queue.name} is ` +
      `paused${doneBy(queue.pausedBy, queue.pausedAt)}${reason.replace(/[.!?]$/, "")}.`,
    unblocks: `Resume queue ${queue.name}.`,
  };
}

export function vetoStoppedQueue(queue: QueueFacts, stopped: boolean): Veto | null {
  if (!stopped) return null;
  return {
    rule: "queue_stopped",
    sentence:
      `Queue ${queue.name} was stopped after this job was submitted: it is about to be ` +
      "cancelled.",
    unblocks: "Undo the stop while its operation still runs, or submit the job again.",
  };
}

export function vetoQueueLimit(queue: QueueFacts): Veto | null {
  if (queue.concurrency === null || queue.held < queue.concurrency) return null;
  return {
    rule: "queue_limit",
    sentence:
      `Queue ${queue.name} has reached its limit: ${number(queue.held)} of ` +
      `${count(queue.concurrency, "job")} at once.`,
    unblocks: `Wait until a job of queue ${queue.name} ends, or raise its concurrency limit.`,
  };
}

export function vetoQueueKeyLimit({ name, perKey }: QueueFacts): Veto | null {
  if (!perKey || perKey.held < perKey.concurrency) return null;
  const { tag, value, concurrency, held } = perKey;
  const key = `${tag} ${quote(value)}`;
  return {
    rule: "queue_key_limit",
    sentence:
      `Queue ${name} has reached its limit for ${key}: ${number(held)} of ` +
      `${count(concurrency, "job")} at once.`,
    unblocks: `Wait until a job of ${key} ends, or raise the limit per ${tag} of queue ${name}.`,
  };
}

export function vetoQueueRate(queue: QueueFacts): Veto | null {
  if (queue.rate === null || queue.rate.tokens >= 1) return null;
  const { count: starts, seconds } = queue.rate;
  return {
    rule: "queue_rate",
    sentence:
      `Queue ${queue.name} starts at most ${count(starts, "job")} in ` +
      `${count(seconds, "second")}, and has done so.`,
    unblocks: `Wait a moment, or raise the rate limit of queue ${queue.name}.`,
  };
}

/** " by ada since 2026-08-01T12:00:00Z", as far as it is known. */
function doneBy(actor: string | null, at: number | null): string {
  return `${actor ? ` by ${actor}` : ""}${at === null ? "" : ` since ${instant(at)}`}`;
}
