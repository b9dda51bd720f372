/**
 * What to look at and what to do where a rule fires: behind the runbook pages of the board and of `docs/runbooks`.
 * `href` leads to a page of the board; `{name}` in it stands for the job's name.
 */
import type { RuleName } from "./rules.ts";

export interface RunbookStep {
  text: string;
  href?: string;
  /** What the page is called. */
  page?: string;
}

export interface Runbook {
  /** What it means, and who suffers. */
  meaning: string;
  look: readonly RunbookStep[];
  mend: readonly RunbookStep[];
}

const BACKGROUND = { href: "/board/background?name={name}", page: "Background jobs" };
const FAILED = { href: "/board/jobs?q=name%3A{name}+state%3Afailed", page: "its failed jobs" };
const LIVE = { href: "/board/jobs?q=name%3A{name}+state%3Arunning", page: "its running jobs" };
const WAITING = { href: "/board/jobs?q=name%3A{name}+state%3Aready", page: "its waiting jobs" };
const WORKERS = { href: "/board/workers", page: "Workers" };
const DURATIONS = { href: "/board/durations?name={name}", page: "Durations" };
const SCHEDULER = { href: "/board/scheduler", page: "Scheduler" };
const AUDIT = { href: "/board/audit", page: "the audit log" };
const HEALTH = { href: "/board/health", page: "System health" };

const READ_ERROR: RunbookStep = {
  text: "Open the newest failed job and read its error and the end of its log: is it the same error every time?",
  ...FAILED,
};
const SINCE_WHEN: RunbookStep = {
  text: "See when the failures began, and what changed then: a release of the job's code, a setting, a queue.",
  ...BACKGROUND,
};
const ONE_WORKER: RunbookStep = {
  text: "See whether the failed runs were all on one worker: then drain that worker and look at its machine.",
  ...WORKERS,
};
const RETRY: RunbookStep = {
  text: "When the cause is mended, retry what failed: search for it, look at the preview, retry all.",
  ...FAILED,
};

export const RUNBOOKS: Readonly<Record<RuleName, Runbook>> = {
  BackgroundJobFailing: {
    meaning: "More of its runs fail than should. What it keeps up to date is partly old or wrong.",
    look: [READ_ERROR, SINCE_WHEN, ONE_WORKER],
    mend: [
      { text: "Give it what it lacks: credentials, a reachable service, room on disk, memory." },
      {
        text: "Where a service answers too many requests, run it less often or let fewer run at once.",
      },
      { text: "Where a release broke it, go back to the release before." },
      RETRY,
    ],
  },
  BackgroundJobCriticalFailureRate: {
    meaning: "Most of its runs fail. Take it that its work is not done at all.",
    look: [
      READ_ERROR,
      ONE_WORKER,
      {
        text: "See whether other jobs fail too: then it is the machine, the network or a service that they share.",
        href: "/board/background",
        page: "Background jobs",
      },
    ],
    mend: [
      { text: "Go back to the last release that worked." },
      {
        text: "Where each run does harm, pause its schedule or its queue until the cause is known.",
      },
      { text: "Where workers fall over, start more elsewhere and drain those.", ...WORKERS },
      RETRY,
    ],
  },
  BackgroundJobNotRunning: {
    meaning: "No run of it succeeded in time. It does not run, runs too long, or fails each time.",
    look: [
      { text: "See whether it ran at all since then, and how its runs ended.", ...BACKGROUND },
      { text: "See whether a run goes on for too long: the next may wait for it.", ...LIVE },
      {
        text: "See whether it waits for a slot, and read there why it is not running.",
        ...WAITING,
      },
      { text: "See whether somebody paused its schedule or its queue, and why.", ...AUDIT },
    ],
    mend: [
      { text: "Cancel a run that hangs. Give the job a timeout, so that the next ends by itself." },
      { text: "Start workers that may run it, where none is connected.", ...WORKERS },
      { text: "Run its schedule once by hand: `signalbox schedules trigger NAME`." },
      {
        text: "Where it is to run less often on purpose, say so: change its schedule, or its expected interval.",
      },
    ],
  },
  BackgroundJobCriticallyStale: {
    meaning:
      "No run of it succeeded for a long time. Nobody may have noticed: look at what depends on it too.",
    look: [
      { text: "See when it last succeeded, and how its runs ended since.", ...BACKGROUND },
      {
        text: "See whether its schedule is there still, is not paused, and when it is due: `signalbox schedules`.",
      },
      {
        text: "Read the errors of its runs since, the oldest first: the first one says what began it.",
        ...FAILED,
      },
      { text: "See whether workers come and go again and again.", ...WORKERS },
    ],
    mend: [
      { text: "Resume or make the schedule anew." },
      { text: "Mend what its first error says; raise its memory or time where it was killed." },
      {
        text: "Run it once by hand, and wait for the success: `signalbox schedules trigger NAME`.",
      },
      {
        text: "Where the job is not needed any more, remove its schedule and silence the alert until it lapses.",
      },
    ],
  },
  BackgroundJobHighDuration: {
    meaning: "Its runs take longer than they should. The next may be due before one has ended.",
    look: [
      {
        text: "See since when it takes longer, and whether that came slowly or at once.",
        ...DURATIONS,
      },
      { text: "See whether it has more to do: more items a run.", ...BACKGROUND },
      {
        text: "See whether the machines are busy: processor, memory, disk.",
        href: "/board/workers/load",
        page: "Workers",
      },
    ],
    mend: [
      { text: "Let it do less at a time, and more often." },
      { text: "Look at the slowest thing that it waits for: a query, a service, a disk." },
      { text: "Give it a worker with more room, by pool or requirements." },
    ],
  },
  BackgroundJobCriticalDuration: {
    meaning: "Its runs take so long that work piles up behind them.",
    look: [
      { text: "See what the runs that go on now do: progress and log.", ...LIVE },
      { text: "See whether all runs are slow, or some: p50 and p95 apart tell.", ...DURATIONS },
    ],
    mend: [
      { text: "Cancel runs that do nothing any more, and give the job a timeout." },
      { text: "Pause its schedule while others suffer from it." },
      { text: "Split it: a workflow of smaller jobs runs side by side." },
    ],
  },
  BackgroundJobQueueGrowing: {
    meaning: "More jobs of it arrive than are done. Each new one waits longer.",
    look: [
      { text: "See how many wait, and why the first of them does not run.", ...WAITING },
      {
        text: "See whether more are submitted than usual, or fewer end.",
        href: "/board/throughput",
        page: "Throughput",
      },
      { text: "See whether enough slots are there, and who holds them.", ...WORKERS },
    ],
    mend: [
      { text: "Start more workers, or give those that run more slots." },
      { text: "Pause what is less urgent and takes the same slots, or raise this job's priority." },
      { text: "Where the same work is submitted again and again, give it a `dedupe_key`." },
    ],
  },
  BackgroundJobCriticalQueueSize: {
    meaning: "So many jobs of it wait that new ones will not run for long.",
    look: [
      {
        text: "Read why the first of them does not run: nobody may be able to run it.",
        ...WAITING,
      },
      {
        text: "See whether a queue is paused, or the server drains.",
        href: "/board",
        page: "the overview",
      },
      { text: "See what the scheduler passes over, and why.", ...SCHEDULER },
    ],
    mend: [
      { text: "Resume the queue, or start workers that fit its requirements.", ...WORKERS },
      {
        text: "Where the jobs are out of date, cancel them: search for them, look at the preview, cancel all.",
        ...WAITING,
      },
      { text: "Stop what submits them until the rest is done." },
    ],
  },
  BackgroundJobHighItemFailureRate: {
    meaning: "Its runs end well, but fail on many of the items that they work on.",
    look: [
      { text: "See since when items fail, and how many were skipped.", ...BACKGROUND },
      {
        text: "Read the log of its newest run: jobs say there which item failed.",
        href: "/board/jobs?q=name%3A{name}",
        page: "its jobs",
      },
      {
        text: "See whether the items that fail have something in common: a source, an age, a kind.",
      },
    ],
    mend: [
      { text: "Refuse items that can never succeed where they come in." },
      { text: "Try items again that fail by chance, later and not at once." },
      { text: "Where the form of the data changed, change the job with it." },
    ],
  },
};

/** Where rollups are behind, no rule decides anything. */
export const NO_DATA_STEP: RunbookStep = {
  text: "Where an alert neither goes on nor ends, see whether the rollups are behind.",
  ...HEALTH,
};

/** For a job name, or (empty) for none. */
export function stepHref(step: RunbookStep, name: string): string | null {
  return step.href?.replace("{name}", encodeURIComponent(name)) ?? null;
}
