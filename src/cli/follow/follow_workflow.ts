/**
 * Following a workflow: looks at its jobs until it has ended, shows them, and prints the last lines
 * of each job that failed. Ctrl-C leaves the workflow alone.
 */
import type { JobSummary } from "../../sdk/answers.ts";
import { pause } from "../../sdk/backoff.ts";
import type { Client } from "../../sdk/client.ts";
import { ClientError } from "../../sdk/client_error.ts";
import type { Context } from "../context.ts";
import { CliError, EXIT } from "../errors.ts";
import { manyLines, oneLine } from "../print/text.ts";
import { printDuration } from "../print/time.ts";
import { describeEnd, FOLLOW_PATIENCE_MS } from "./follow_job.ts";
import { onInterrupt } from "./interrupt.ts";
import { createBars } from "./progress_bars.ts";
import { createLines } from "./progress_lines.ts";
import type { WorkflowDisplay } from "./workflow_display.ts";
import { changes, countWords, type JobRow, viewOf, type WorkflowView } from "./workflow_view.ts";

export interface FollowedWorkflow {
  id: string;
  name: string;
  /** In the order in which they are shown. */
  keys: string[];
}

/** Between two looks: at least this, and at least three times as long as a look takes. */
const LOOK_EVERY_MS = 400;
const LOOK_SHARE = 3;
const TAIL_LINES = 20;
/** Of more failures than these only the fact is told. */
const TAILS_MAX = 20;

interface Call {
  signal: AbortSignal;
  patienceMs: number;
}

/** The jobs as they ended. Leaves 0 in the context where all went well, else 1. */
export async function followWorkflow(
  context: Context,
  client: Client,
  workflow: FollowedWorkflow,
  output = context.out,
): Promise<WorkflowView> {
  context.following = true;
  const interrupt = onInterrupt(context);
  const display = output.terminal
    ? createBars(output, () => Date.now())
    : createLines(output, () => new Date());
  const { notice } = context;
  context.notice = (text) => display.say(text);
  const call = { signal: interrupt.signal, patienceMs: FOLLOW_PATIENCE_MS };
  const started = performance.now();
  try {
    const { view, state } = await watch(client, workflow, display, call);
    display.end();
    const took = printDuration(performance.now() - started);
    output.line(`${workflow.name} ${state} after ${took}: ${countWords(view)}.`);
    if (state !== "succeeded") context.exitCode = EXIT.failed;
    return view;
  } catch (error) {
    display.end();
    if (!interrupt.signal.aborted) throw error;
    throw new CliError(
      `Left workflow ${workflow.id}, which goes on. See it with \`signalbox jobs --workflow ${workflow.id}\`, or end it with \`signalbox cancel --workflow ${workflow.id}\`.`,
      EXIT.interrupted,
    );
  } finally {
    context.notice = notice;
    interrupt.stop();
  }
}

async function watch(
  client: Client,
  workflow: FollowedWorkflow,
  display: WorkflowDisplay,
  call: Call,
): Promise<{ view: WorkflowView; state: string }> {
  let before: WorkflowView | undefined;
  let tails = 0;
  for (;;) {
    const lookAt = performance.now();
    // The workflow first: once it has ended, the list that is read after it is the last word.
    const { state } = await client.workflowById(workflow.id, { ...call, pageSize: 1 });
    const view = viewOf(workflow.id, await listAll(client, workflow.id, call), workflow.keys);
    display.update(view);
    for (const row of changes(before, view)) {
      if (row.state !== "failed") continue;
      display.say(await describeFailure(client, row, tails < TAILS_MAX, call));
      tails++;
    }
    if (state !== "running" && state !== "open") return { view, state };
    before = view;
    const tookMs = performance.now() - lookAt;
    await pause(Math.max(LOOK_EVERY_MS, tookMs * LOOK_SHARE), call.signal);
  }
}

async function listAll(client: Client, workflow: string, call: Call): Promise<JobSummary[]> {
  const jobs: JobSummary[] = [];
  for await (const job of client.jobs({ workflow }, { ...call, pageSize: 1000 })) jobs.push(job);
  return jobs;
}

/** How it failed, and the end of what it wrote. */
async function describeFailure(
  client: Client,
  row: JobRow,
  withTail: boolean,
  call: Call,
): Promise<string> {
  const last = (await client.attempts(row.id, call)).at(-1);
  const head = `✗ ${oneLine(row.key)}: ${describeEnd(row.job, last)}`;
  if (!withTail) return head;
  const tail = await client.log(row.id, { ...call, tail: TAIL_LINES }).catch((error) => {
    if (error instanceof ClientError && !error.unreached) return "";
    throw error;
  });
  const lines = manyLines(tail).split("\n");
  while (lines.at(-1) === "") lines.pop();
  return [head, ...lines.map((line) => `    ${line}`), `    (job ${row.id})`].join("\n");
}
