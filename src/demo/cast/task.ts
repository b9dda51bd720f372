/** What a kind of job is like, so that all that is told of it fits its name. */
import type { JobInput, Requirements, WorkflowInput } from "../../messages/job_input.ts";

/** How an attempt can go wrong. */
export type Trouble =
  | { chance: number; how: "fails"; errors: readonly string[]; exitCode?: number }
  /** Runs on until its timeout, or for ten times as long as usual. */
  | { chance: number; how: "hangs" }
  /** The kernel kills it. */
  | { chance: number; how: "out_of_memory" };

export interface Task {
  name: string;
  queue: string;
  kind: "exec" | "handler";
  /** Half of all attempts are shorter, on a worker of speed 1. */
  seconds: number;
  /** Peak, of most attempts. */
  ramMb: number;
  /** Busy on the mean. */
  cores: number;
  /** Read and written. */
  diskMb: number;
  networkMbps: number;
  /** What it writes into its log. */
  voice: Voice;
  troubles?: readonly Trouble[];
  /** It counts items: so many of them. */
  items?: readonly [from: number, to: number];
  requirements?: Requirements;
  maxAttempts?: number;
  timeoutSeconds?: number;
  priority?: number;
  /** Adds jobs to its workflow shortly before it ends. */
  extends?: true;
}

/** Ways in which jobs talk, see `play/lines.ts`. */
export type Voice = "compile" | "evaluate" | "test" | "simulate" | "transfer" | "batch" | "deploy";

/** What somebody sends at once. */
export interface Submission {
  org: string;
  workflow?: WorkflowInput;
  jobs?: JobInput[];
}

/** The input of a job of this kind. `args` is told in the payload. */
export function inputOf(task: Task, args: Record<string, string | number>): JobInput {
  const { name, queue, kind, requirements, maxAttempts, timeoutSeconds, priority } = task;
  return {
    name,
    queue,
    kind,
    payload: kind === "handler" ? args : commandOf(task, args),
    ...(priority === undefined ? {} : { priority }),
    ...(requirements === undefined ? {} : { requirements }),
    ...(timeoutSeconds === undefined ? {} : { timeout_seconds: timeoutSeconds }),
    ...(maxAttempts === undefined ? {} : { max_attempts: maxAttempts, backoff: QUICK_BACKOFF }),
  };
}

/** Of a demo: nobody wants to wait an hour for the third try. */
const QUICK_BACKOFF = { base_seconds: 6, factor: 2, max_seconds: 60 };

const PROGRAMS: Record<Voice, string> = {
  compile: "build-package",
  evaluate: "evaluate",
  test: "run-tests",
  simulate: "simulate",
  transfer: "transfer",
  batch: "batch",
  deploy: "deploy",
};

function commandOf({ name, voice }: Task, args: Record<string, string | number>) {
  const env = Object.entries(args).map(([key, value]) => [key.toUpperCase(), String(value)]);
  return { command: [PROGRAMS[voice], name], env: Object.fromEntries(env) };
}
