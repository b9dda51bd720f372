/** Ctrl-C and SIGTERM while something is followed: an abort, so that we can leave with a word. */
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";

export interface Interrupt {
  signal: AbortSignal;
  /** Back to the usual: the next Ctrl-C ends the process. */
  stop(): void;
}

/** A second Ctrl-C exits at once, whatever still hangs. */
export function onInterrupt(context: Context): Interrupt {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) context.runtime.exit(EXIT.interrupted);
    controller.abort(new Error("interrupted"));
  };
  const offs = (["SIGINT", "SIGTERM"] as const).map((signal) =>
    context.runtime.onSignal(signal, handle),
  );
  return {
    signal: controller.signal,
    stop: () => {
      for (const off of offs) off();
    },
  };
}
