/**
 * The statechart of a job: the specification, the picture (`docs/statecharts.md`) and the model
 * that tests walk. What runs is the literal table of `job_table.ts`; a test compares both for every
 * pair.
 *
 * Guards are resolved into the event before (`job_end.ts`), so that no transition depends on
 * anything but state and event. What a `queued` job waits for (`run_at`, `backoff`, `dependencies`)
 * is a fact beside the state; a change of it is the event `wait`, and a phase event like any other.
 */
import { setup } from "xstate";
import type { JobEventType } from "./job_table.ts";

export type JobEvent = { type: JobEventType };

const leased = {
  reject: { target: "ready", description: "the worker would not take it" },
  reject_backoff: { target: "queued", description: "rejected or given back five times or more" },
  release: { target: "ready", description: "given back unharmed: drained, or never started" },
  succeed: { target: "succeeded" },
  fail_retry: { target: "queued", description: "failed or timed out, failures < max_attempts" },
  fail_final: { target: "failed", description: "failed or timed out for the last time" },
  lost_ready: { target: "ready", description: "lease lost while running, up to 3 times" },
  lost_final: { target: "failed", description: "lease lost once too often: worker_lost" },
  cancel: {
    target: "cancelled",
    description: "the worker says so, or the lease ends; asked first",
  },
} as const;

const retry = { retry: { target: "queued", description: "same id, failures 0" } } as const;

export const jobMachine = setup({
  types: { events: {} as JobEvent, tags: {} as "leased" | "final" },
}).createMachine({
  id: "job",
  initial: "created",
  states: {
    created: {
      description: "Written, and not yet in any line. Left in the same transaction.",
      on: { queue: { target: "queued" } },
    },
    queued: {
      description: "Waits for one thing at a time: run_at, backoff, then dependencies.",
      on: {
        wait: { target: "queued", description: "waits for the next thing" },
        ready: { target: "ready", description: "nothing is left to wait for" },
        dependency_failed: { target: "dependency_failed", description: "a dependency ended badly" },
        cancel: { target: "cancelled" },
      },
    },
    ready: {
      description: "Stands in the line of its shape, by rank.",
      on: { dispatch: { target: "dispatched" }, cancel: { target: "cancelled" } },
    },
    dispatched: {
      description: "Leased to a worker, which has not started it.",
      tags: "leased",
      on: { ...leased, start: { target: "running" } },
    },
    running: { description: "Leased to a worker, which runs it.", tags: "leased", on: leased },
    // Only this end is for ever; the others can be taken back, so they are no XState finals.
    succeeded: { type: "final", tags: "final" },
    failed: { tags: "final", on: retry },
    cancelled: { tags: "final", on: retry },
    dependency_failed: {
      description: "Never ran, because a job it depends on ended badly.",
      tags: "final",
      on: retry,
    },
  },
});
