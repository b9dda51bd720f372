/** From a workflow file to the API's input, or to a list of what is wrong and on which line. */
import { readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { checkGraph } from "../../core/workflow_graph.ts";
import { type WorkflowInput, workflowInput } from "../../messages/job_input.ts";
import { type ClientError, printPath, readPath } from "../../sdk/client_error.ts";
import { UsageError } from "../errors.ts";
import { oneLine } from "../print/text.ts";
import { codeOf } from "../settings.ts";
import { nameFromCommand } from "../values.ts";
import { type Expanded, expandWorkflow } from "./expand.ts";
import { type Path, type Problem, parseSource, type Source, SyntaxProblem } from "./source.ts";
import { findWorkspace } from "./workspace.ts";

/** The API takes no larger body. */
const FILE_MAX_BYTES = 32 * 1024 * 1024;
const PROBLEMS_SHOWN = 10;

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

function readText(file: string): string {
  try {
    const size = statSync(file).size;
    if (size > FILE_MAX_BYTES) throw new UsageError(`${file} is larger than 32 MiB.`);
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = codeOf(error) === "ENOENT" ? "there is no such file" : codeOf(error);
    throw new UsageError(`${file} cannot be read: ${why}.`, error);
  }
}

function parse(file: string, text: string): Source {
  try {
    return parseSource(text);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    throw new UsageError(`${file}:${error.line}:${error.column}: ${oneLine(error.message)}`, error);
  }
}

/** `examples/build.yaml:12:5: jobs[3].queue: must be …`, a line each. */
function refuse(file: string, source: Source, problems: Problem[]): UsageError {
  const lines = problems.slice(0, PROBLEMS_SHOWN).map(({ path, message }) => {
    const { line, column } = source.lineOf(path);
    const where = path.length === 0 ? "" : `${printPath(path)}: `;
    return `${file}:${line}:${column}: ${where}${oneLine(message)}`;
  });
  if (problems.length > PROBLEMS_SHOWN) {
    lines.push(`… and ${problems.length - PROBLEMS_SHOWN} more problems`);
  }
  return new UsageError(lines.join("\n"));
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
