/** `signalbox jobs`: what there is, newest first. */
import { Command, Option } from "commander";
import type { JobFilter, JobState, JobSummary } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { createPaint, paintState } from "../print/colour.ts";
import { workerName } from "../print/job.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";
import { between, printAgo, printDuration } from "../print/time.ts";
import { collectPairs, parseJobName, parseQueue, parseSince, parseWhole } from "../values.ts";

const STATES = [
  "queued",
  "ready",
  "dispatched",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "dependency_failed",
] as const;

interface Flags extends ClientFlags {
  state?: JobState[];
  queue?: string;
  name?: string;
  workflow?: string;
  worker?: string;
  tag?: Record<string, string>;
  search?: string;
  since?: string;
  limit: number;
}

export function jobsCommand(context: Context): Command {
  const command = new Command("jobs")
    .summary("list jobs")
    .description("Lists jobs, the newest first.")
    .addOption(
      new Option("--state <state...>", "only in these states").choices(
        STATES as unknown as string[],
      ),
    )
    .option("--queue <queue>", "only of this queue", parseQueue)
    .option("--name <name>", "only with this name", parseJobName)
    .option("--workflow <id>", "only of this workflow")
    .option("--worker <id>", "only that ran on this worker")
    .option("--tag <k=v>", "only with this tag; may be repeated", collectPairs)
    .option("--search <text>", "only with this text in name or tags")
    .option("--since <time>", "only created since: 2h, 1d or a time", parseSince(Date.now))
    .option("--limit <n>", "at most so many", parseWhole(1, 100_000), 50)
    .option("--json", "print JSON")
    .action((flags: Flags) => listJobs(context, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox jobs --state failed --since 1d
  signalbox jobs --queue builds --tag branch=main --json | jq -r '.items[].id'`,
  );
}

async function listJobs(context: Context, flags: Flags): Promise<void> {
  const client = connect(context, flags);
  const jobs: JobSummary[] = [];
  const pageSize = Math.min(1000, flags.limit + 1);
  let more = false;
  for await (const job of client.jobs(filterOf(flags), { pageSize })) {
    more = jobs.length === flags.limit;
    if (more) break;
    jobs.push(job);
  }
  if (flags.json) return printJson(context, { items: jobs, more });
  if (jobs.length === 0) {
    return context.err.line("No jobs match. Submit one: signalbox submit -- echo hello");
  }
  context.out.line(jobsTable(jobs, context, Date.now()));
  if (more) context.err.line(`There are more: see them with --limit ${flags.limit * 10}.`);
}

function filterOf(flags: Flags): JobFilter {
  return {
    state: flags.state,
    queue: flags.queue,
    name: flags.name,
    workflow: flags.workflow,
    worker: flags.worker,
    tags: flags.tag,
    q: flags.search,
    created_after: flags.since,
  };
}

function jobsTable(jobs: JobSummary[], context: Context, now: number): string {
  const paint = createPaint(context.out.colour);
  const columns: Column<JobSummary>[] = [
    { title: "ID", value: (job) => job.id },
    { title: "NAME", value: (job) => oneLine(job.name), shrinkTo: 8 },
    { title: "QUEUE", value: (job) => job.queue, shrinkTo: 6 },
    { title: "STATE", value: (job) => stateWords(job, paint) },
    { title: "CREATED", value: (job) => printAgo(job.created_at, now), align: "right" },
    { title: "RAN", value: (job) => ranFor(job, now), align: "right" },
    { title: "WORKER", value: (job) => workerName(job.worker) ?? "-", shrinkTo: 6 },
  ];
  return renderTable(columns, jobs, context.out.columns, paint);
}

function stateWords(job: JobSummary, paint: ReturnType<typeof createPaint>): string {
  const state = paintState(paint, job.state);
  if (job.state === "queued" && job.waiting_for) {
    return `${state} (${job.waiting_for.replaceAll("_", " ")})`;
  }
  if (job.state === "running" && job.cancel_requested_at) return `${state} (cancel asked)`;
  if (job.state === "failed" && job.exit_code) return `${state} (exit ${job.exit_code})`;
  return state;
}

function ranFor(job: JobSummary, now: number): string {
  const end = job.finished_at ?? (job.state === "running" ? new Date(now).toISOString() : null);
  const ms = between(job.started_at, end);
  return ms === undefined ? "-" : printDuration(ms);
}
