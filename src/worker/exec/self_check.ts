/**
 * Runs a small command exactly as a job would run, before the first job does: a runtime that does
 * not change users, or a temporary folder that the job's user cannot enter, must stop the worker,
 * not its jobs.
 */
import { Buffer } from "node:buffer";
import { closeSync, readSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { type ProcessExit, spawnProcess } from "../../runtime/spawn.ts";
import { DEFAULT_PATH } from "./environment.ts";
import { makeJobFolder, removeJobFolder } from "./job_folder.ts";
import type { JobUser } from "./job_user.ts";
import type { JobPipes } from "./pipes.ts";

const LOOK = "id -u; id -G; : > written && echo ok";

/** Throws a sentence that says what is wrong. */
export async function checkJobUser(user: JobUser | null, pipes: JobPipes): Promise<void> {
  const folder = makeJobFolder(user);
  const pipe = pipes.open();
  try {
    await run(user, folder.work, pipe.writeFd);
    const buffer = Buffer.alloc(4096);
    const answer = buffer.toString("utf8", 0, readSync(pipe.readFd, buffer, 0, 4096, null));
    const [uid, groups, wrote] = answer.trim().split("\n");
    const wanted = user ?? { uid: process.getuid?.(), gid: undefined };
    if (uid !== String(wanted.uid)) throw new Error(`it ran as user ${uid}, not ${wanted.uid}`);
    if (user && groups !== String(user.gid)) throw new Error(`it kept the groups ${groups}`);
    if (wrote !== "ok") throw new Error("it could not write into its working folder");
  } catch (error) {
    const who = user ? `the user ${user.name}` : "the worker's own user";
    throw new Error(`jobs cannot run as ${who} in ${tmpdir()}: ${(error as Error).message}`);
  } finally {
    pipes.close(pipe, false);
    await removeJobFolder(folder.path, user);
  }
}

async function run(user: JobUser | null, cwd: string, output: number): Promise<void> {
  let ended: (exit: ProcessExit) => void = () => {};
  const exit = new Promise<ProcessExit>((resolve) => {
    ended = resolve;
  });
  try {
    await spawnProcess({
      command: ["/bin/sh", "-c", LOOK],
      cwd,
      env: { PATH: DEFAULT_PATH },
      stdio: ["ignore", output, output],
      user: user ? { uid: user.uid, gid: user.gid } : undefined,
      onExit: ended,
    });
  } finally {
    closeSync(output);
  }
  await exit;
}
