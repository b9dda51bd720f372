/** What another server said, passed on to the parts of this one. */
import type { EngineContext } from "../context.ts";
import type { Dispatcher } from "../dispatcher.ts";
import type { Lines } from "../lines.ts";
import type { Wake } from "../replicas.ts";
import type { Switches } from "../switches.ts";

export interface Woken {
  context: EngineContext;
  feed: { poke(): void };
  schedules: { poke(): void };
  switches: Switches;
  lines: Lines;
  dispatcher: Dispatcher;
}

export function wakeUp(wake: Wake, parts: Woken): void {
  const { context, lines, dispatcher } = parts;
  if (wake.schedules) parts.schedules.poke();
  if (wake.events) parts.feed.poke();
  if (wake.cancel) context.bus.tell("cancel.requested", {});
  if (wake.switches) void parts.switches.refresh().catch(() => {});
  if (!wake.shapes) return;
  const peek = wake.shapes === "all" ? lines.sweep() : lines.touch(wake.shapes);
  peek
    .then(() => dispatcher.poke())
    .catch((error) => {
      context.log.warn({ error: String(error) }, "a wake-up was lost until the sweep");
    });
}
