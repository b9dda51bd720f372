/**
 * The live worker actor: XState `fromTransition` logic that runs the literal table. One lives as
 * long as its connection. An event that means nothing in the present state changes nothing.
 */
import { type ActorRefFromLogic, fromTransition } from "xstate";
import {
  nextWorkerState,
  WORKER_STATES,
  type WorkerEventType,
  type WorkerState,
} from "./worker_table.ts";

export interface WorkerSnapshot {
  readonly state: WorkerState;
}
export type WorkerActorEvent = { type: WorkerEventType };

const SNAPSHOTS = Object.fromEntries(
  WORKER_STATES.map((state) => [state, Object.freeze({ state })]),
) as Readonly<Record<WorkerState, WorkerSnapshot>>;

export const workerLogic = fromTransition(
  (snapshot: WorkerSnapshot, event: WorkerActorEvent): WorkerSnapshot => {
    const next = nextWorkerState(snapshot.state, event.type);
    // `??` as well: a type that names a method of every object finds that, and no snapshot.
    return next === undefined ? snapshot : (SNAPSHOTS[next] ?? snapshot);
  },
  SNAPSHOTS.joining,
);
export type WorkerActorRef = ActorRefFromLogic<typeof workerLogic>;
