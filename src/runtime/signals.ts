/**
 * Signals as people mean them.
 *
 * Beneath a launcher (`bin/signalbox.mjs`, which names itself in the environment) one Ctrl-C comes
 * twice: the terminal signals every process of the group, and the launcher passes on what it got,
 * because whoever signals only the launcher means us as well. Within a second and a half, both are one. A
 * launcher that was killed cannot pass anything on: its end counts as SIGTERM.
 *
 * A terminal that closes (SIGHUP) asks to end as well, unless `nohup` has put that aside.
 */
import { readFileSync } from "node:fs";
import process from "node:process";

/** The variable in which a launcher writes its process id. */
export const LAUNCHER = "SIGNALBOX_LAUNCHER";
const SAME_SIGNAL_MS = 1_500;

export interface SignalSource {
  on(signal: string, handler: () => void): void;
  off(signal: string, handler: () => void): void;
}

/** Calls `handler` at each SIGINT or SIGTERM, until the returned function is called. */
export function listen(
  source: SignalSource,
  signal: "SIGINT" | "SIGTERM",
  handler: () => void,
): () => void {
  // Inherited by a process of its own, the variable names somebody else's launcher.
  const launched = process.env[LAUNCHER] === String(process.ppid);
  let heardAt = Number.NEGATIVE_INFINITY;
  const hear = () => {
    const now = performance.now();
    const again = launched && now - heardAt < SAME_SIGNAL_MS;
    if (!again) heardAt = now;
    if (!again) handler();
  };
  const signals = signal === "SIGTERM" && !hangupIsIgnored() ? [signal, "SIGHUP"] : [signal];
  for (const each of signals) source.on(each, hear);
  const unwatch = launched && signal === "SIGTERM" ? watchParent(process.ppid, hear) : () => {};
  return () => {
    for (const each of signals) source.off(each, hear);
    unwatch();
  };
}

function watchParent(parent: number, orphaned: () => void): () => void {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    orphaned();
  }, 1_000);
  timer.unref();
  return () => clearInterval(timer);
}

/** `nohup` ignores SIGHUP for what it starts; a handler of our own would undo that. */
function hangupIsIgnored(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
    return (BigInt(`0x${mask?.[1] ?? "0"}`) & 1n) === 1n;
  } catch {
    return false;
  }
}
