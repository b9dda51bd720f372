/** What a queued job waits for by itself, whatever the queue and the workers. */
import type { JobSituation } from "./facts.ts";
import { count, instant, number, quote, span } from "./phrases.ts";
import type { Veto } from "./veto.ts";

export function vetoWaiting(job: JobSituation, nowMs: number): Veto | null {
  switch (job.waitingFor) {
    case null:
      return null;
    case "run_at":
      return deferred(job, nowMs);
    case "backoff":
      return backingOff(job, nowMs);
    case "dependencies":
      return dependent(job);
  }
}

export function vetoCancelRequested(job: JobSituation): Veto | null {
  if (!job.cancelRequested) return null;
  return {
    rule: "cancel_requested",
    sentence: "A cancel was asked for: it will not be dispatched again.",
    unblocks: "Once it is cancelled, retry it.",
  };
}

function deferred(job: JobSituation, nowMs: number): Veto {
  return {
    rule: "waiting_run_at",
    sentence: `Is not to run before ${until(job.dueAt, nowMs)}.`,
    unblocks: "Wait until then, or submit it again without run_at.",
  };
}

function backingOff(job: JobSituation, nowMs: number): Veto {
  const error = job.lastError?.trim() ? ` (${quote(job.lastError)})` : "";
  const cause =
    job.failures > 0
      ? `after failure ${number(job.failures)} of at most ${number(job.maxAttempts)}${error}`
      : `after being rejected by several workers${error}`;
  return {
    rule: "waiting_backoff",
    sentence: `Backs off ${cause} until ${until(job.dueAt, nowMs)}.`,
    unblocks: "Wait until then: it becomes ready by itself.",
  };
}

function dependent(job: JobSituation): Veto {
  const left = count(job.pendingDependencies, "dependency", "dependencies");
  return {
    rule: "waiting_dependencies",
    sentence: `Waits for ${left} to end well.`,
    unblocks: "The jobs it depends on must succeed; if one failed, retry that one.",
  };
}

function until(dueAt: number | null, nowMs: number): string {
  if (dueAt === null) return "a time that is not known";
  const left = dueAt - nowMs;
  return left > 0 ? `${instant(dueAt)}, in ${span(left)}` : `${instant(dueAt)}, which is now`;
}
