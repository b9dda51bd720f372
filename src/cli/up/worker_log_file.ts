/** `worker.log`: what the worker of `up` says. Kept small; the one before is `worker.log.old`. */
import { openSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { cut, oneLine } from "../print/text.ts";

const FILE = "worker.log";
const MAX_BYTES = 1024 * 1024;

/** A descriptor to append to. */
export function openWorkerLog(folder: string): number {
  const path = join(folder, FILE);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_BYTES) renameSync(path, `${path}.old`);
  return openSync(path, "a", 0o600);
}

/** The message of the last line; empty where there is none. */
export function lastLogLine(folder: string): { line: string; path: string } {
  const path = join(folder, FILE);
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // It was never written.
  }
  const last = text.trimEnd().split("\n").at(-1) ?? "";
  return { line: cut(oneLine(messageOf(last)), 300), path };
}

/** The worker logs JSON; what the command line says of its end is plain text. */
function messageOf(line: string): string {
  try {
    const { msg, why, error } = JSON.parse(line) as Record<string, string>;
    return [msg, why ?? error].filter(Boolean).join(": ");
  } catch {
    return line;
  }
}
