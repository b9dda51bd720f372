/** How a command ends when it does not end well: a sentence, what to do about it, an exit code. */
import { ClientError } from "../sdk/client_error.ts";

/** The contract's exit codes. Under `--follow` a job's own code goes through as it is. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Signalbox itself failed while it followed a job or a workflow. */
  signalbox: 125,
  interrupted: 130,
} as const;

export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** What was typed, or written in a file, is wrong: nothing was sent. */
export class UsageError extends CliError {
  constructor(message: string, cause?: unknown) {
    super(message, EXIT.usage, cause);
    this.name = "UsageError";
  }
}

/**
 * The exit code of any error. Input that the server refuses counts as usage, like input that is
 * refused here; every other fault under `--follow` is 125, so that a script can tell it from its job.
 */
export function exitCodeOf(error: unknown, following: boolean): number {
  if (error instanceof CliError) {
    return following && error.exitCode === EXIT.failed ? EXIT.signalbox : error.exitCode;
  }
  const status = error instanceof ClientError ? error.status : undefined;
  if (status === 400 || status === 413 || status === 422) return EXIT.usage;
  return following ? EXIT.signalbox : EXIT.failed;
}

/** One or two sentences for stderr. */
export function explainError(error: unknown): string {
  if (error instanceof ClientError) return explainClientError(error);
  if (error instanceof Error) return sentence(error.message || error.name);
  return sentence(String(error));
}

function explainClientError(error: ClientError): string {
  const said = sentence(error.message);
  if (error.unreached) {
    return `${said} Start it with \`signalbox up\`, or say where it is with SIGNALBOX_URL.`;
  }
  if (error.status === 401) {
    return `${said} The server does not know this token: check SIGNALBOX_TOKEN, or ask for a new one.`;
  }
  return said;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?)`"]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
