/** One of the two streams a command writes to, and what it can show. */
import type { WriteStream } from "node:tty";

export interface Output {
  write(text: string): void;
  /** Writes the text and a line break. */
  line(text?: string): void;
  readonly terminal: boolean;
  readonly colour: boolean;
  /** Undefined where nobody looks: a file or a pipe takes lines of any length. */
  readonly columns: number | undefined;
  readonly rows: number;
  /** For libraries that draw by themselves. */
  readonly stream: WriteStream;
  /** Resolves once everything written has left the process. */
  flush(): Promise<void>;
}

export function createOutput(
  stream: WriteStream,
  env: Readonly<Record<string, string | undefined>>,
): Output {
  const terminal = stream.isTTY === true;
  return {
    write: (text) => void stream.write(text),
    line: (text = "") => void stream.write(`${text}\n`),
    terminal,
    colour: wantsColour(terminal, env),
    get columns() {
      return terminal ? Math.max(40, stream.columns || 80) : undefined;
    },
    get rows() {
      return Math.max(5, stream.rows || 24);
    },
    stream,
    flush: () => new Promise((resolve) => stream.write("", () => resolve())),
  };
}

/** NO_COLOR (no-color.org) wins over FORCE_COLOR; otherwise only a terminal gets colour. */
export function wantsColour(
  terminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return terminal && env.TERM !== "dumb";
}
