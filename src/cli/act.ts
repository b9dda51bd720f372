/** Doing one thing to each of several jobs, going on where one of them refuses. */
import type { Job } from "../sdk/answers.ts";
import type { Client } from "../sdk/client.ts";
import { ClientError } from "../sdk/client_error.ts";
import { type ClientFlags, connect, printJson } from "./connect.ts";
import type { Context } from "./context.ts";
import { EXIT, explainError } from "./errors.ts";
import { oneLine } from "./print/text.ts";

export interface JobAction {
  act: (client: Client, id: string) => Promise<Job>;
  /** What became of the job, after its name: "is cancelled". */
  say: (job: Job) => string;
}

/** Exit code 1 where at least one job refused; the others are done all the same. */
export async function actOnJobs(
  context: Context,
  ids: string[],
  flags: ClientFlags,
  action: JobAction,
): Promise<void> {
  const client = connect(context, flags);
  const jobs: Job[] = [];
  for (const id of ids) {
    try {
      const job = await action.act(client, id);
      jobs.push(job);
      if (!flags.json) context.out.line(`${oneLine(job.name)} ${job.id} ${action.say(job)}.`);
    } catch (error) {
      // One job that has ended already must not keep the rest from being done.
      if (!(error instanceof ClientError) || ![404, 409].includes(error.status)) throw error;
      context.err.line(`${id}: ${explainError(error)}`);
      context.exitCode = EXIT.failed;
    }
  }
  if (flags.json) printJson(context, jobs);
}
