/**
 * The live job actor: XState `fromTransition` logic that runs the literal table. One lives from
 * dispatch to the end of the attempt.
 *
 * An event that means nothing in the present state changes nothing: it comes from outside, often
 * late or twice, and must not bring down what it reached. Who must know asks `nextState` first.
 */
import { type ActorRefFromLogic, fromTransition } from "xstate";
import { JOB_STATES, type JobState } from "./job_state.ts";
import { type JobEventType, nextState } from "./job_table.ts";

export interface JobSnapshot {
  readonly state: JobState;
}
export type JobActorEvent = { type: JobEventType };
export interface JobActorInput {
  /** Where the row stands when the actor wakes: `dispatched`, or `running` after a restart. */
  state: JobState;
}

/** One snapshot per state, shared by all actors: a transition allocates nothing. */
const SNAPSHOTS = Object.fromEntries(
  JOB_STATES.map((state) => [state, Object.freeze({ state })]),
) as Readonly<Record<JobState, JobSnapshot>>;

export function jobSnapshot(state: JobState): JobSnapshot {
  return SNAPSHOTS[state];
}

export const jobLogic = fromTransition(
  (snapshot: JobSnapshot, event: JobActorEvent): JobSnapshot => {
    const next = nextState(snapshot.state, event.type);
    // `??` as well: a type that names a method of every object finds that, and no snapshot.
    return next === undefined ? snapshot : (SNAPSHOTS[next] ?? snapshot);
  },
  ({ input }: { input: JobActorInput }): JobSnapshot => SNAPSHOTS[input.state],
);
export type JobActorRef = ActorRefFromLogic<typeof jobLogic>;
