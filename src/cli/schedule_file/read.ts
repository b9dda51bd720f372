/** From a file of schedules to the API's input, or to a list of what is wrong and on which line. */
import { z } from "zod";
import { scheduleProblems } from "../../core/schedules/check.ts";
import { jobName } from "../../messages/names.ts";
import { type ParsedScheduleInput, scheduleInput } from "../../messages/schedule_input.ts";
import { parse, readText, refuse } from "../workflow_file/open.ts";
import type { Path, Problem } from "../workflow_file/source.ts";
import { findWorkspace } from "../workflow_file/workspace.ts";
import { expandSchedule } from "./expand.ts";

/** Who manages what a file without `managed_by` holds. */
const DEFAULT_MANAGER = "file";

const whole = z.strictObject({
  managed_by: jobName.default(DEFAULT_MANAGER),
  schedules: z.array(z.unknown(), "must be a list of schedules"),
});

export interface FiledSchedule {
  input: ParsedScheduleInput;
  /** Null: the file does not say whether it is paused, and leaves that alone. */
  paused: boolean | null;
}

export interface ScheduleFile {
  managedBy: string;
  schedules: FiledSchedule[];
}

/** Throws UsageError where the file cannot be read or does not fit. */
export function readScheduleFile(file: string, text = readText(file)): ScheduleFile {
  const source = parse(file, text);
  const outer = whole.safeParse(source.value ?? {});
  if (!outer.success) throw refuse(file, source, outer.error.issues.map(problemOf));
  const { managed_by: managedBy, schedules } = outer.data;
  const problems: Problem[] = [];
  const names = new Set<string>();
  const filed = schedules.map((value, at) => {
    const say = ({ path, message }: Problem) =>
      void problems.push({ path: ["schedules", at, ...path], message });
    const read = readOne(value, { managedBy, workspace: findWorkspace(file), say });
    if (read !== null && names.has(read.input.name)) {
      say({ path: ["name"], message: `stands in this file twice: ${read.input.name}` });
    }
    if (read !== null) names.add(read.input.name);
    return read;
  });
  if (problems.length > 0) throw refuse(file, source, problems);
  return { managedBy, schedules: filed.filter((one) => one !== null) };
}

function readOne(
  value: unknown,
  file: { managedBy: string; workspace: string; say: (problem: Problem) => void },
): FiledSchedule | null {
  const { input, problems, toSource } = expandSchedule(value, file.workspace);
  for (const problem of problems) file.say(problem);
  if (problems.length > 0) return null;
  const parsed = scheduleInput.safeParse({ managed_by: file.managedBy, ...input });
  const wrong = parsed.success ? scheduleProblems(parsed.data) : parsed.error.issues.map(problemOf);
  for (const { path, message } of wrong) file.say({ path: toSource(path), message });
  if (!parsed.success || wrong.length > 0) return null;
  return { input: parsed.data, paused: "paused" in input ? parsed.data.paused : null };
}

function problemOf(issue: z.core.$ZodIssue): Problem {
  const path = issue.path as Path;
  if (issue.code !== "unrecognized_keys") return { path, message: issue.message };
  return { path: [...path, issue.keys[0]!], message: "is not known here" };
}
