/** What chooses and leases: switches, lines and the dispatcher, each told what the others change. */
import type { EngineContext } from "../context.ts";
import { Dispatcher, type DispatcherHost } from "../dispatcher.ts";
import type { Histories } from "../histories.ts";
import { KeyLimits } from "../leases/key_limits.ts";
import { Lines } from "../lines.ts";
import type { Windows } from "../rollups/windows.ts";
import { Switches } from "../switches.ts";

export interface Dispatching {
  switches: Switches;
  lines: Lines;
  dispatcher: Dispatcher;
}

export function createDispatching(
  context: EngineContext,
  parts: { histories: Histories; windows: Windows; host: DispatcherHost },
): Dispatching {
  const switches = new Switches(context);
  const keys = new KeyLimits((queue) => switches.keyLimit(queue));
  const lines = new Lines(context, parts.histories, keys);
  lines.stopBelow = (queue) => switches.stopBelow(queue);
  const dispatcher = new Dispatcher(context, { ...parts, lines, switches });
  switches.onChange = (changed) => {
    lines.reread(changed);
    dispatcher.changed();
  };
  return { switches, lines, dispatcher };
}
