/** The whole environment of an `exec` job: nothing of the worker's own but PATH and LANG. */
import type { Assignment } from "../../messages/frames.ts";
import type { JobFolder } from "./job_folder.ts";

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Stands in the environment of each process of an attempt, so that none is overlooked. */
export const MARK_NAME = "SIGNALBOX_RUN";

export interface EnvironmentBase {
  path: string;
  lang: string;
}

/** The job's own `env` may replace PATH, HOME, TMPDIR and LANG, but not the facts. */
export function jobEnvironment(
  base: EnvironmentBase,
  assignment: Assignment,
  own: Readonly<Record<string, string>>,
  folder: JobFolder,
  mark: string,
): Record<string, string> {
  return {
    PATH: base.path,
    HOME: folder.work,
    TMPDIR: folder.tmp,
    LANG: base.lang,
    ...own,
    SIGNALBOX_JOB_ID: assignment.job,
    SIGNALBOX_JOB_NAME: assignment.name,
    SIGNALBOX_ATTEMPT: String(assignment.attempt),
    SIGNALBOX_MAX_ATTEMPTS: String(assignment.max_attempts),
    SIGNALBOX_ORG: assignment.org,
    SIGNALBOX_QUEUE: assignment.queue,
    SIGNALBOX_RESULT: folder.result,
    SIGNALBOX_INPUTS: folder.inputs,
    [MARK_NAME]: mark,
  };
}
