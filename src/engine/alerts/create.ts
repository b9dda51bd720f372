/** Puts the parts of alerts together. */
import type { EngineContext } from "../context.ts";
import { AlertKeeper } from "./alerts.ts";
import { Evaluator } from "./evaluator.ts";
import { Messenger } from "./messenger.ts";
import { Standing } from "./standing.ts";

/** `now`: database time, milliseconds; a test may have another. */
export function createAlerts(
  context: EngineContext,
  now: () => number = () => context.clock.now(),
): AlertKeeper {
  const settings = context.options.sending;
  return new AlertKeeper(context, {
    evaluator: new Evaluator(context, now),
    messenger: new Messenger(context, settings),
    standing: new Standing(context),
    settings,
  });
}
