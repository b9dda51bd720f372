/** The five waits of an attempt as a waterfall: one row a phase, bars on one scale. Pure. */

import type { JobState, WaitingFor } from "../../core/job_state.ts";
import { currentWait, type PhaseTimes, type WaitKind, waitsOf } from "../../core/waits.ts";
import { duration } from "../../web/format.ts";
import { waitLabel } from "../../web/words.ts";

export interface PhaseRow {
  kind: WaitKind;
  label: string;
  help: string;
  /** "" where it has not begun or did not happen. */
  text: string;
  /** Ms since the epoch, where it still grows. */
  since: number | null;
  from: number | null;
  until: number | null;
  /** Place and length of its bar, 0 to 1000. */
  x: number;
  width: number;
}

const HELP: Readonly<Record<WaitKind, string>> = {
  deferral: "Waiting for its time (run_at) or for the backoff after a failure.",
  dependency_wait: "Waiting for the jobs it depends on.",
  queue_wait: "Ready, waiting in line for a worker.",
  start_latency: "From the decision until the worker had started it.",
  run: "Running, as measured by the worker.",
};

/** Below this a bar could not be seen. */
const LEAST_WIDTH = 3;
const SCALE = 1_000;

export interface PhaseInput {
  times: PhaseTimes;
  endedAt: number | null;
  state: JobState;
  waitingFor: WaitingFor | null;
  now: number;
}

export function phaseRows(input: PhaseInput): { rows: PhaseRow[]; total: string } {
  const { times, endedAt, now } = input;
  const waits = waitsOf(times);
  const current = currentWait(input.state, input.waitingFor, times, now);
  const eligible = times.eligibleAt ?? times.readyAt;
  const runEnd =
    endedAt ??
    (times.startedAt !== null && waits.runMs !== null ? times.startedAt + waits.runMs : null);
  const spans: [WaitKind, number | null, number | null, number | null][] = [
    ["deferral", times.queuedAt, eligible, waits.deferralMs],
    ["dependency_wait", eligible, times.readyAt, waits.dependencyWaitMs],
    ["queue_wait", times.readyAt, times.dispatchedAt, waits.queueWaitMs],
    ["start_latency", times.dispatchedAt, times.startedAt, waits.startLatencyMs],
    ["run", times.startedAt, runEnd, waits.runMs ?? between(times.startedAt, endedAt)],
  ];
  const start = times.queuedAt;
  const end = Math.max(start + 1, endedAt ?? (current ? now : (runEnd ?? now)));
  const scale = (at: number) => Math.round(((at - start) / (end - start)) * SCALE);
  const rows = spans.map(([kind, from, until, ms]): PhaseRow => {
    const growing = current?.kind === kind;
    const to = growing ? now : until;
    const begun = from !== null && (growing || until !== null);
    const x = begun ? clamp(scale(from)) : 0;
    const width = begun && to !== null ? Math.max(LEAST_WIDTH, clamp(scale(to)) - x) : 0;
    const took = growing ? current.ms : ms;
    return {
      kind,
      label: waitLabel(kind),
      help: HELP[kind],
      text: begun && took !== null ? duration(took) : "",
      since: growing ? from : null,
      from: begun ? from : null,
      until: growing ? null : until,
      x: Math.min(x, SCALE - LEAST_WIDTH),
      width: took === 0 ? 0 : width,
    };
  });
  return { rows, total: duration(end - start) };
}

function between(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from);
}

function clamp(value: number): number {
  return Math.min(SCALE, Math.max(0, value));
}
