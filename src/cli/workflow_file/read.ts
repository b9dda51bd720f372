/** From a workflow file to the API's input, or to a list of what is wrong and on which line. */
import { basename, extname } from "node:path";
import { checkGraph } from "../../core/workflow_graph.ts";
import { type WorkflowInput, workflowInput } from "../../messages/job_input.ts";
import { type ClientError, readPath } from "../../sdk/client_error.ts";
import { nameFromCommand } from "../values.ts";
import { type Expanded, expandWorkflow } from "./expand.ts";
import { parse, readText, refuse } from "./open.ts";
import type { Path, Source } from "./source.ts";
import { findWorkspace } from "./workspace.ts";

export interface WorkflowFile {
  input: WorkflowInput;
  /** The server's refusal of this input, said with the lines of the file. */
  explainRefusal(error: ClientError): Error;
}

/** Throws UsageError where the file cannot be read or does not fit. */
export function readWorkflowFile(
  file: string,
  vars: Readonly<Record<string, string>>,
  text = readText(file),
): WorkflowFile {
  const source = parse(file, text);
  const expanded = expandWorkflow(source.value, {
    defaultName: nameFromCommand(basename(file, extname(file))),
    vars,
    workspace: findWorkspace(file),
  });
  if (expanded.problems.length > 0) throw refuse(file, source, expanded.problems);
  const parsed = workflowInput.safeParse(expanded.input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      path: expanded.toSource(issue.path as Path),
      message: issue.message,
    }));
    throw refuse(file, source, problems);
  }
  const graph = checkGraph(parsed.data.jobs);
  if (!graph.ok) {
    throw refuse(
      file,
      source,
      graph.problems.map((problem) => ({ ...problem, path: ["jobs", ...problem.path] })),
    );
  }
  return {
    input: expanded.input as unknown as WorkflowInput,
    explainRefusal: (error) => explainRefusal(error, file, source, expanded),
  };
}

function explainRefusal(
  error: ClientError,
  file: string,
  source: Source,
  expanded: Expanded,
): Error {
  const issues = error.problem?.errors;
  if (error.status !== 422 || !issues || issues.length === 0) return error;
  return refuse(
    file,
    source,
    issues.map(({ path, message }) => ({ path: expanded.toSource(readPath(path)), message })),
  );
}
