/**
 * The conditions of the alert rules: pure functions over what is known of a job name. Ratios are exact over their
 * window, and say nothing of fewer runs than the sample asks for. What does not run any more, or is paused, neither
 * fails nor takes long: of that the condition is gone.
 */
import { type JobFacts, type Runs, runsOver, windowOf } from "./facts.ts";
import type { Limits } from "./thresholds.ts";
import { compared, unknown, type Verdict } from "./verdict.ts";
import { counted, figure, share, span } from "./words.ts";

type Condition = (facts: JobFacts, limits: Limits) => Verdict;

const runsIn = (facts: JobFacts, limits: Limits): Runs =>
  runsOver(facts, windowOf(facts, limits.window_seconds! * 1_000));

export const failureRate: Condition = (facts, limits) => {
  const { runs, failed, windowMs } = runsIn(facts, limits);
  const over = `over ${span(windowMs)}`;
  if (isAtRest(facts, runs)) return atRest(facts, over);
  if (runs < limits.runs_min!) {
    return unknown(`${counted(runs, "run")} ${over}: fewer than the ${limits.runs_min} it takes.`);
  }
  const rate = failed / runs;
  const said = `${share(rate)} of its runs failed: ${figure(failed)} of ${figure(runs)} ${over}.`;
  return compared(rate, limits.failure_rate!, said);
};

export const itemFailureRate: Condition = (facts, limits) => {
  const { itemsSuccess, itemsFailed, runs, windowMs } = runsIn(facts, limits);
  const items = itemsSuccess + itemsFailed;
  const over = `over ${span(windowMs)}`;
  if (isAtRest(facts, runs + items)) return atRest(facts, over);
  if (items < limits.items_min!) {
    return unknown(
      `${counted(items, "item")} ${over}: fewer than the ${limits.items_min} it takes.`,
    );
  }
  const rate = itemsFailed / items;
  const said = `${share(rate)} of its items failed: ${figure(itemsFailed)} of ${figure(items)} ${over}.`;
  return compared(rate, limits.failure_rate!, said);
};

export const slowest: Condition = (facts, limits) => {
  const { runs, p95Ms, windowMs } = runsIn(facts, limits);
  const over = `over ${span(windowMs)}`;
  if (isAtRest(facts, runs)) return atRest(facts, over);
  if (p95Ms === null || runs < limits.runs_min!) {
    return unknown(`${counted(runs, "run")} ${over}: fewer than the ${limits.runs_min} it takes.`);
  }
  const said = `95 % of its ${counted(runs, "run")} ${over} took ${span(p95Ms)} or less.`;
  return compared(p95Ms / 1_000, limits.p95_seconds!, said);
};

export const queueSize: Condition = (facts, limits) => {
  if (facts.queueNow === null) return unknown("Nobody has looked how many of its jobs wait.");
  const said = `${counted(facts.queueNow, "job")} of it wait for a slot.`;
  return compared(facts.queueNow, limits.queue_size!, said);
};

/** Growth needs two sizes: where the earlier one is not known, nothing is said. */
export const queueGrowth: Condition = (facts, limits) => {
  const { queueNow: now, queueBefore: before } = facts;
  if (now === null) return unknown("Nobody has looked how many of its jobs wait.");
  const said = `${counted(now, "job")} of it wait for a slot`;
  if (now <= limits.queue_size!) return compared(now, limits.queue_size!, `${said}.`);
  if (before === null) return unknown(`${said}; how many it were 10 minutes ago is not known.`);
  const sentence = `${said}, ${figure(before)} did 10 minutes ago.`;
  return compared(now, before * limits.growth!, sentence);
};

/**
 * Where it is known when a job is to run, a run can be missing: overdue is past so many due times and the grace.
 * Where it is not, nobody can say that a run is missing; what can be said is that it ran and did not succeed.
 */
export const staleness: Condition = (facts, limits) => {
  const { expected, lastSuccessAt: success, lastRunsUntil: until } = facts;
  if (expected.kind === "paused") return notDue("Its schedules are paused: nothing is due.");
  const since = expected.kind === "known" ? expected.since : (success ?? facts.firstRunAt);
  if (since === null) return unknown("It has not run yet, and has no schedule.");
  const said =
    success === null
      ? `It has never succeeded, for ${span(until - since)} now.`
      : `Its last success was ${span(until - success)} ago.`;
  const age = Math.max(0, until - since) / 1_000;
  if (expected.kind === "known") {
    const due = expected.dues[limits.intervals! - 1];
    if (due === undefined) return notDue(`${said} It is hardly ever due.`);
    const every = expected.intervalMs;
    const grace = (expected.graceMs ?? limits.grace_seconds! * 1_000) / 1_000;
    const words = every === null ? "" : ` It is to run every ${span(every)}.`;
    return compared(age, (due - since) / 1_000 + grace, said + words);
  }
  const hasRunSince = success === null || (facts.lastRunAt ?? 0) > success;
  if (!hasRunSince) return notDue(`${said} It has not run since, and nothing says that it should.`);
  return compared(age, limits.absolute_seconds!, said);
};

/** Of what never ran nothing is known. */
function isAtRest({ expected, lastRunAt }: JobFacts, runs: number): boolean {
  return expected.kind === "paused" || (runs === 0 && lastRunAt !== null);
}

function atRest({ expected }: JobFacts, over: string): Verdict {
  return notDue(expected.kind === "paused" ? "Its schedules are paused." : `No runs ${over}.`);
}

const notDue = (sentence: string): Verdict => ({
  ...{ truth: "false", value: null, limit: null, sentence },
});
