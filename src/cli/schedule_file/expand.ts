/**
 * What a file of schedules may say beyond the API's own input. Pure. `job` and the jobs of `workflow` take
 * the shorthands of workflow files (`run`, `command`, `env`), and a job without a name is named like its
 * schedule.
 */
import { type Expanded, expandWorkflow } from "../workflow_file/expand.ts";
import type { Path, Problem } from "../workflow_file/source.ts";

type Fields = Record<string, unknown>;

export interface ExpandedSchedule {
  /** The API's input, not checked yet. */
  input: Fields;
  problems: Problem[];
  /** From a path in `input` to where the file says it, below the schedule. */
  toSource(path: Path): Path;
}

export function expandSchedule(value: unknown, workspace: string): ExpandedSchedule {
  if (!isFields(value)) {
    const message = "a schedule is a mapping with `name`, `cron`, and `job` or `workflow`";
    return { input: {}, problems: [{ path: [], message }], toSource: (path) => path };
  }
  const defaultName = typeof value.name === "string" ? value.name : "job";
  const options = { defaultName, vars: {}, workspace };
  if (isFields(value.job)) {
    const job = { name: defaultName, ...value.job };
    const expanded = expandWorkflow({ jobs: [{ key: "job", ...job }] }, options);
    const [{ key: _key, ...input } = {}] = expanded.input.jobs as Fields[];
    return placed({ ...value, job: input }, expanded, { from: ["jobs", 0], to: ["job"] });
  }
  if (isFields(value.workflow)) {
    const expanded = expandWorkflow(value.workflow, options);
    const input = { ...value, workflow: expanded.input };
    return placed(input, expanded, { from: [], to: ["workflow"] });
  }
  return { input: value, problems: [], toSource: (path) => path };
}

/** The paths of a workflow, as paths of the schedule that it stands in. */
function placed(
  input: Fields,
  expanded: Expanded,
  { from, to }: { from: Path; to: Path },
): ExpandedSchedule {
  const [part] = to;
  const inside = (path: Path): Path => [...to, ...path.slice(from.length)];
  return {
    input,
    problems: expanded.problems.map(({ path, message }) => ({ path: inside(path), message })),
    toSource: (path) => {
      if (path[0] !== part) return path;
      return inside(expanded.toSource([...from, ...path.slice(1)]));
    },
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
