/**
 * The statechart of one worker connection as a literal table of state × event, which the live
 * worker actor runs. `worker_machine.ts` is the specification, compared with this for every pair.
 */

export const WORKER_STATES = ["joining", "ready", "draining", "lost"] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

export const WORKER_EVENTS = [
  "accept",
  "accept_draining",
  "refuse",
  "drain",
  "leave",
  "drop",
  "lapse",
  "supersede",
] as const;
export type WorkerEventType = (typeof WORKER_EVENTS)[number];

type Row = Partial<Record<WorkerEventType, WorkerState>>;

/** However a connection ends, its actor is done; leases that it held live on in its session. */
const ENDS: Row = { leave: "lost", drop: "lost", lapse: "lost", supersede: "lost" };

export const WORKER_TABLE: Readonly<Record<WorkerState, Readonly<Row>>> = {
  joining: {
    accept: "ready",
    accept_draining: "draining",
    refuse: "lost",
    drop: "lost",
    supersede: "lost",
  },
  ready: { ...ENDS, drain: "draining" },
  draining: ENDS,
  lost: {},
};

/** The state that follows, or `undefined` where the event means nothing in this state. */
export function nextWorkerState(
  state: WorkerState,
  event: WorkerEventType,
): WorkerState | undefined {
  return WORKER_TABLE[state][event];
}

/** Only a ready worker is offered jobs. */
export function takesJobs(state: WorkerState): boolean {
  return state === "ready";
}
