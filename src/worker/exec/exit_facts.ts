/** How a process ended, in the words of a shell. */
import os from "node:os";
import type { ProcessExit } from "../../runtime/spawn.ts";

/** An end by signal is also given as the exit code 128 + its number. */
export function exitFacts(exit: ProcessExit): { exit_code: number; signal?: string } {
  if (exit.signal === null) return { exit_code: exit.code ?? 1 };
  const number = (os.constants.signals as Record<string, number>)[exit.signal] ?? 0;
  return { exit_code: 128 + number, signal: exit.signal };
}
