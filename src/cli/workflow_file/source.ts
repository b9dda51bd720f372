/** A workflow file as text: YAML or JSON, and on which line each part of it stands. */
import { isNode, LineCounter, parseDocument } from "yaml";

export type Path = (string | number)[];

export interface Problem {
  /** Where in the file, as a path from its top. */
  path: Path;
  message: string;
}

export interface Source {
  value: unknown;
  /** The line and column of the part at `path`, or of the nearest part around it. */
  lineOf(path: Path): { line: number; column: number };
}

/** A file that is no YAML at all. */
export class SyntaxProblem extends Error {
  readonly line: number;
  readonly column: number;
  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** JSON is YAML too, so one parser reads both and names lines for both. */
export function parseSource(text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new SyntaxProblem(error.message, line, col);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 10_000 });
  } catch (cause) {
    throw new SyntaxProblem((cause as Error).message, 1, 1);
  }
  return {
    value,
    lineOf(path) {
      for (let length = path.length; length >= 0; length--) {
        const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
        if (!isNode(node) || !node.range) continue;
        const { line, col } = lines.linePos(node.range[0]);
        return { line, column: col };
      }
      return { line: 1, column: 1 };
    },
  };
}
