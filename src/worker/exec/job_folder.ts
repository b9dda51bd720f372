/**
 * The folder of one `exec` attempt: `work` (working folder and HOME, empty), `tmp` (TMPDIR), and
 * `io` with stdin, inputs and result. With another user the outer folder stays the worker's, so
 * that no job can put a link where the worker will look; everything in it is the job's.
 */

import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RESULT_MAX_BYTES } from "../../messages/frames.ts";
import { type ResultText, resultText } from "../result_text.ts";
import { DEFAULT_PATH } from "./environment.ts";
import type { JobUser } from "./job_user.ts";

export interface JobFolder {
  path: string;
  work: string;
  tmp: string;
  io: string;
  result: string;
  inputs: string;
}

export function makeJobFolder(user: JobUser | null): JobFolder {
  const path = mkdtempSync(join(tmpdir(), "signalbox-job-"));
  const io = join(path, "io");
  const folder = {
    path,
    work: join(path, "work"),
    tmp: join(path, "tmp"),
    io,
    result: join(io, "result.json"),
    inputs: join(io, "inputs.json"),
  };
  if (user) chmodSync(path, 0o711);
  for (const inner of [folder.work, folder.tmp, io]) {
    mkdirSync(inner, { mode: 0o700 });
    if (user) chownSync(inner, user.uid, user.gid);
  }
  return folder;
}

/** Writes a file that the job may read and change. */
export function writeJobFile(path: string, text: string, user: JobUser | null): void {
  writeFileSync(path, text, { mode: 0o600 });
  if (user) chownSync(path, user.uid, user.gid);
}

/** Undefined where the job left no result. */
export function readResult(folder: JobFolder, user: JobUser | null): ResultText | undefined {
  let fd: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    fd = openSync(folder.result, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = (error as { code?: string }).code;
    return code === "ENOENT" ? undefined : { ok: false, why: `it cannot be read (${code})` };
  }
  try {
    return readOpenResult(fd, user);
  } finally {
    closeSync(fd);
  }
}

function readOpenResult(fd: number, user: JobUser | null): ResultText | undefined {
  const facts = fstatSync(fd);
  if (!facts.isFile()) return { ok: false, why: "it is no plain file" };
  // A hard or symbolic link to what the job could not read itself: the worker is no reading aid.
  if (user && facts.uid !== user.uid) return { ok: false, why: "it belongs to another user" };
  if (facts.size === 0) return undefined;
  if (facts.size > RESULT_MAX_BYTES) {
    return { ok: false, why: `it has ${facts.size} bytes, more than ${RESULT_MAX_BYTES}` };
  }
  const bytes = Buffer.alloc(facts.size);
  const text = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)).toString("utf8");
  try {
    return resultText(JSON.parse(text), RESULT_MAX_BYTES);
  } catch (error) {
    return { ok: false, why: `it is no JSON (${(error as Error).message})` };
  }
}

/**
 * Removes the folder. What is in it is removed as the job's user: a walk as root through folders
 * that another of that user's jobs can still rename might be led elsewhere.
 */
export async function removeJobFolder(path: string, user: JobUser | null): Promise<void> {
  if (removeEmpty(path)) return;
  const inner = INNER.map((name) => join(path, name));
  await run(["/bin/sh", "-c", EMPTY_OUT, "sh", ...inner], user);
  removeEmpty(path);
}

const INNER = ["work", "tmp", "io"];
const OWN_FILES = ["stdin", "inputs.json", "result.json"];

/** A folder that its owner may not enter is opened up first. */
const EMPTY_OUT =
  'find "$@" -mindepth 1 -delete 2>/dev/null || ' +
  '{ chmod -R u+rwX "$@"; find "$@" -mindepth 1 -delete; }';

/** Most jobs leave nothing but the files that we made ourselves. */
function removeEmpty(path: string): boolean {
  for (const name of OWN_FILES) attempt(() => unlinkSync(join(path, "io", name)));
  for (const name of INNER) attempt(() => rmdirSync(join(path, name)));
  return attempt(() => rmdirSync(path));
}

function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "ENOENT";
  }
}

function run(command: string[], user: JobUser | null): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), {
      cwd: "/",
      env: { PATH: DEFAULT_PATH },
      stdio: "ignore",
      ...(user && { uid: user.uid, gid: user.gid }),
    });
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}
