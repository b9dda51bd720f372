/** A file that people write, opened: its text, its parts and their lines, and how its faults are told. */
import { readFileSync, statSync } from "node:fs";
import { printPath } from "../../sdk/client_error.ts";
import { UsageError } from "../errors.ts";
import { oneLine } from "../print/text.ts";
import { codeOf } from "../settings.ts";
import { type Problem, parseSource, type Source, SyntaxProblem } from "./source.ts";

/** The API takes no larger body. */
const FILE_MAX_BYTES = 32 * 1024 * 1024;
const PROBLEMS_SHOWN = 10;

export function readText(file: string): string {
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

export function parse(file: string, text: string): Source {
  try {
    return parseSource(text);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    throw new UsageError(`${file}:${error.line}:${error.column}: ${oneLine(error.message)}`, error);
  }
}

/** `examples/build.yaml:12:5: jobs[3].queue: must be …`, a line each. */
export function refuse(file: string, source: Source, problems: Problem[]): UsageError {
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
