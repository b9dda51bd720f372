/** What is wrong with a schedule beyond its form, each as a path and a sentence. Pure. */
import { checkStorable } from "../storable.ts";
import { checkGraph } from "../workflow_graph.ts";
import { cronProblem, timeZoneProblem } from "./rule_problem.ts";

export interface ScheduleProblem {
  path: (string | number)[];
  message: string;
}

/** As far as it is looked at here. */
export interface CheckedSchedule {
  cron: string;
  time_zone: string;
  job: { payload?: unknown } | null;
  workflow: {
    jobs: readonly { key: string; depends_on?: string[] | undefined; payload?: unknown }[];
  } | null;
}

/** Of what it submits, as JSON: it is read with every fire. */
const TEMPLATE_MAX = 1024 * 1024;

export function scheduleProblems(schedule: CheckedSchedule): ScheduleProblem[] {
  const problems: ScheduleProblem[] = [];
  const say = (path: (string | number)[], message: string | null) => {
    if (message !== null) problems.push({ path, message });
  };
  say(["cron"], cronProblem(schedule.cron));
  say(["time_zone"], timeZoneProblem(schedule.time_zone));
  const { job, workflow } = schedule;
  if (job === null && workflow === null) {
    say(["job"], "is missing: say what to submit, as job or as workflow");
  }
  if (job !== null && workflow !== null) {
    say(["workflow"], "stands beside a job: a schedule submits one of the two; leave one out");
  }
  if (job !== null) say(["job", "payload"], checkStorable(job.payload));
  for (const [at, { payload }] of (workflow?.jobs ?? []).entries()) {
    say(["workflow", "jobs", at, "payload"], checkStorable(payload));
  }
  const graph = workflow === null ? null : checkGraph(workflow.jobs);
  if (graph !== null && !graph.ok) {
    for (const { path, message } of graph.problems) say(["workflow", "jobs", ...path], message);
  }
  const size = JSON.stringify(job ?? workflow ?? {}).length;
  if (size > TEMPLATE_MAX) {
    say(
      [job === null ? "workflow" : "job"],
      "is larger than 1 MiB: let its jobs fetch what they need",
    );
  }
  return problems;
}
