/** What a command is handed: the world outside, so that a test can put another in its place. */
import type { Runtime } from "../runtime/contract.ts";
import type { Output } from "./output.ts";

export interface Context {
  readonly runtime: Runtime;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly version: string;
  readonly out: Output;
  readonly err: Output;
  /** Standard input, read only by those who ask. */
  stdin(): AsyncIterable<Uint8Array>;
  /** Tells something besides the result: on stderr, or above bars that are being drawn. */
  notice(text: string): void;
  /** What the process will exit with; a command that ends well leaves it at 0. */
  exitCode: number;
  /** Errors come with their stack. */
  debug: boolean;
  /** A job or workflow is being followed: faults of Signalbox count as 125 from here on. */
  following: boolean;
}
