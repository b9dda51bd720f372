/** What `--follow` exits with: the job's own code, 128 + signal, or 125. Pure. */
import { constants } from "node:os";
import type { JobState } from "../../sdk/answers.ts";
import { EXIT } from "../errors.ts";

/** What is known of how a job ended. */
export interface JobEnd {
  state: JobState;
  exit_code: number | null;
  /** Of its last attempt. */
  outcome?: string | null;
  signal?: string | null;
}

/** coreutils' timeout(1) says it so where the command itself ended well after the signal. */
const TIMED_OUT = 124;

/**
 * 0 for a job that succeeded. A signal gives 128 + its number, as in a shell. 125 where there is
 * no code of the job's own: lost with its worker, cancelled before it ran, its report unstorable.
 */
export function exitCodeOfJob(end: JobEnd): number {
  if (end.state === "succeeded") return EXIT.ok;
  if (end.signal) {
    const number = (constants.signals as Record<string, number>)[end.signal];
    if (number !== undefined) return 128 + number;
  }
  if (end.exit_code !== null && end.exit_code > 0) return end.exit_code & 0xff || EXIT.failed;
  if (end.outcome === "timed_out") return TIMED_OUT;
  return EXIT.signalbox;
}
