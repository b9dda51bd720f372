/** A followed workflow as it is shown: its jobs in order, and what changed since the last look. Pure. */
import { isFinal } from "../../core/job_state.ts";
import type { JobState, JobSummary } from "../../sdk/answers.ts";
import { count } from "../print/text.ts";

export interface JobRow {
  id: string;
  key: string;
  state: JobState;
  /** 0 to 1 where the job has told it. */
  fraction: number | null;
  note: string | null;
  worker: string | null;
  startedMs: number | null;
  finishedMs: number | null;
  job: JobSummary;
}

export interface WorkflowView {
  rows: readonly JobRow[];
  ended: number;
  /** How many stand in each state. */
  counts: ReadonlyMap<JobState, number>;
}

export function viewOf(
  workflow: string,
  jobs: readonly JobSummary[],
  keys: string[],
): WorkflowView {
  const place = new Map(keys.map((key, at) => [key, at]));
  const rows = jobs.map((job) => rowOf(workflow, job));
  // As in the file; jobs that running jobs added come last, as they came (ids are in time order).
  const order = (row: JobRow) => place.get(row.key) ?? Number.MAX_SAFE_INTEGER;
  rows.sort((a, b) => order(a) - order(b) || (a.id < b.id ? -1 : 1));
  const counts = new Map<JobState, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return { rows, counts, ended: rows.filter((row) => isFinal(row.state)).length };
}

function rowOf(workflow: string, job: JobSummary): JobRow {
  const ms = (time: string | null) => (time === null ? null : Date.parse(time));
  return {
    id: job.id,
    key: job.workflows.find(({ id }) => id === workflow)?.key ?? job.name,
    state: job.state,
    fraction: job.progress?.fraction ?? null,
    note: job.progress?.note ?? null,
    worker: job.worker?.name ?? null,
    startedMs: ms(job.started_at),
    finishedMs: ms(job.finished_at),
    job,
  };
}

/** Rows whose state or attempt differs from the view before, in order. */
export function changes(before: WorkflowView | undefined, now: WorkflowView): JobRow[] {
  const old = new Map(before?.rows.map((row) => [row.id, row]));
  return now.rows.filter((row) => {
    const was = old.get(row.id);
    return was?.state !== row.state || was.job.attempt !== row.job.attempt;
  });
}

const ORDER: readonly JobState[] = [
  "succeeded",
  "failed",
  "dependency_failed",
  "cancelled",
  "running",
  "dispatched",
  "ready",
  "queued",
  "created",
];

/** `3 succeeded, 1 failed, 2 running`. */
export function countWords(view: WorkflowView): string {
  const parts = ORDER.flatMap((state) => {
    const n = view.counts.get(state) ?? 0;
    return n === 0 ? [] : [`${n.toLocaleString("en")} ${state.replaceAll("_", " ")}`];
  });
  return parts.length === 0 ? count(0, "job") : parts.join(", ");
}

/** What is worth a line most where not all fit: what goes on and what went wrong. */
const WORTH: Record<JobState, number> = {
  running: 0,
  dispatched: 1,
  failed: 2,
  ready: 3,
  queued: 4,
  created: 4,
  cancelled: 5,
  succeeded: 6,
  dependency_failed: 7,
};

/** At most `room` rows, in the view's own order. */
export function selectRows(view: WorkflowView, room: number): JobRow[] {
  if (view.rows.length <= room) return [...view.rows];
  const latest = (row: JobRow) => row.finishedMs ?? row.startedMs ?? 0;
  const worth = [...view.rows].sort(
    (a, b) => WORTH[a.state] - WORTH[b.state] || latest(b) - latest(a),
  );
  const chosen = new Set(worth.slice(0, Math.max(0, room)));
  return view.rows.filter((row) => chosen.has(row));
}
