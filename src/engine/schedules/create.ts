/** Puts the parts of the schedules together. */
import type { Actions } from "../actions.ts";
import type { EngineContext } from "../context.ts";
import type { Submission } from "../submit/submission.ts";
import { Firing } from "./firing.ts";
import { Runner } from "./runner.ts";
import { ScheduleKeeper } from "./schedules.ts";
import { Submitter } from "./submitter.ts";

/** `now`: database time, milliseconds; a test may have another. */
export function createSchedules(
  context: EngineContext,
  submission: Submission,
  actions: Actions,
  now: () => number = () => context.clock.now(),
): ScheduleKeeper {
  const submitter = new Submitter(context, submission);
  const firing = new Firing(context, { submitter, actions, now });
  const runner = new Runner(context, firing, now);
  return new ScheduleKeeper(context, { firing, runner, submitter, now });
}
