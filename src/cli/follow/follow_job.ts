/**
 * Following one job: its log on stdout, attempt by attempt, until the job has ended; then its exit
 * code as ours. Ctrl-C leaves the job alone.
 */
import type { Attempt, Job, JobSummary } from "../../sdk/answers.ts";
import type { Client } from "../../sdk/client.ts";
import { printJson } from "../connect.ts";
import type { Context } from "../context.ts";
import { CliError, EXIT } from "../errors.ts";
import { oneLine } from "../print/text.ts";
import { printDuration } from "../print/time.ts";
import { exitCodeOfJob } from "./exit_code.ts";
import { onInterrupt } from "./interrupt.ts";

/** A server may be away this long while we follow: longer than any upgrade should take. */
export const FOLLOW_PATIENCE_MS = 5 * 60_000;

export interface FollowFlags {
  json?: boolean;
  tail?: number;
}

/** Leaves the job's exit code in the context. With `json` the log goes to stderr, the job to stdout. */
export async function followToEnd(
  context: Context,
  client: Client,
  id: string,
  flags: FollowFlags,
): Promise<void> {
  context.following = true;
  const interrupt = onInterrupt(context);
  try {
    const call = { signal: interrupt.signal, patienceMs: FOLLOW_PATIENCE_MS };
    const job = await stream(context, client, id, flags, call);
    const last = (await client.attempts(id, call)).at(-1);
    report(context, job, last, flags);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    throw new CliError(
      `Left job ${id}, which goes on. Follow it again with \`signalbox job ${id} --follow\`, or end it with \`signalbox cancel ${id}\`.`,
      EXIT.interrupted,
    );
  } finally {
    interrupt.stop();
  }
}

interface Call {
  signal: AbortSignal;
  patienceMs: number;
}

/** The job once it has ended and all it wrote is printed. */
async function stream(
  context: Context,
  client: Client,
  id: string,
  flags: FollowFlags,
  call: Call,
): Promise<Job> {
  const out = flags.json ? context.err : context.out;
  let seen = 1;
  for await (const event of client.follow(id, { ...call, tail: flags.tail })) {
    // With several attempts a reader must be able to tell where one ends; the first needs no word.
    const begins = event.type === "attempt" && event.attempt > seen;
    if (begins) context.err.line(`Attempt ${event.attempt} of job ${id}:`);
    if (event.type === "attempt") seen = event.attempt;
    if (event.type === "log") out.write(event.text);
  }
  return client.wait(id, call);
}

/** A job that ended well says all with its output; what else happened is told on stderr. */
function report(context: Context, job: Job, last: Attempt | undefined, flags: FollowFlags): void {
  context.exitCode = exitCodeOfJob({ ...job, outcome: last?.outcome, signal: last?.signal });
  if (flags.json) printJson(context, job);
  if (job.state !== "succeeded") context.err.line(describeEnd(job, last));
}

export function describeEnd(job: JobSummary, last: Attempt | undefined): string {
  const ran = last?.waits.run_ms;
  const after = ran === null || ran === undefined ? "" : ` after ${printDuration(ran)}`;
  const name = oneLine(job.name);
  if (job.state === "cancelled") return `${name} was cancelled${after}.`;
  if (job.state === "dependency_failed") {
    return `${name} did not run: a job that it depends on ended badly.`;
  }
  const how = endWords(job, last);
  const error = job.error ? `: ${oneLine(job.error).replace(/\.$/, "")}` : "";
  return `${name} ${how}${after}${error}.`;
}

function endWords(job: JobSummary, last: Attempt | undefined): string {
  if (last?.outcome === "timed_out") return "ran out of time";
  if (last?.usage.oom_killed) return "was killed: out of memory";
  if (last?.signal) return `was ended by ${last.signal}`;
  if (job.exit_code) return `failed with exit code ${job.exit_code}`;
  if (job.reason === "worker_lost") return "failed: its workers were lost";
  return `failed${job.reason ? ` (${job.reason.replaceAll("_", " ")})` : ""}`;
}
