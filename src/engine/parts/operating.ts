/** What operators do by hand. */
import type { EngineContext } from "../context.ts";
import { Controls } from "../operator/controls.ts";
import { QueueKeeper } from "../operator/queue_settings.ts";
import { QueueStops } from "../operator/queue_stops.ts";
import { Slots } from "../operator/slots.ts";

export interface Operating {
  controls: Controls;
  queues: QueueKeeper;
  stops: QueueStops;
  slots: Slots;
}

/** `switched`: reads the switches anew and tells the other servers. `begun`: an operation waits. */
export function createOperating(
  context: EngineContext,
  tell: { switched(): Promise<void>; begun(): void },
): Operating {
  return {
    controls: new Controls(context, tell.switched),
    queues: new QueueKeeper(context, tell.switched),
    stops: new QueueStops(context, tell),
    slots: new Slots(context),
  };
}
