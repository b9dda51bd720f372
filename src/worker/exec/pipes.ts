/**
 * Pipes for the output of jobs. Standard output and error share one, so that the log has the order
 * in which things were written. They are named pipes opened from both sides here: what the
 * runtimes make for children are socket pairs, in which `echo x > /dev/stderr` fails, and
 * which are two.
 */
import { execFileSync } from "node:child_process";
import { chownSync, closeSync, constants, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";

const BATCH = 8;

export interface JobPipe {
  /** Never blocks: EAGAIN while there is nothing, 0 bytes after the last writer is gone. */
  readFd: number;
  /** For the child; close it here once the child has it. */
  writeFd: number;
  path: string;
}

export class JobPipes {
  readonly #folder: string;
  readonly #owner: { uid: number; gid: number } | null;
  #free: string[] = [];
  #count = 0;

  /** `owner`: who may open the pipe again, as `/dev/stderr` does. */
  constructor(folder: string, owner: { uid: number; gid: number } | null) {
    this.#folder = folder;
    this.#owner = owner;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  open(): JobPipe {
    if (this.#free.length === 0) this.#make();
    const path = this.#free.pop()!;
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return { readFd, writeFd: openSync(path, constants.O_WRONLY), path };
    } catch (error) {
      closeSync(readFd);
      throw error;
    }
  }

  /** `ended`: every writer is gone, so the next job can use it. */
  close(pipe: JobPipe, ended: boolean): void {
    closeSync(pipe.readFd);
    if (ended) this.#free.push(pipe.path);
    else rmSync(pipe.path, { force: true });
  }

  #make(): void {
    const paths = Array.from({ length: BATCH }, () => {
      this.#count += 1;
      return join(this.#folder, String(this.#count));
    });
    execFileSync("mkfifo", ["-m", "600", ...paths], { env: { PATH: "/usr/bin:/bin" } });
    for (const path of paths) {
      if (this.#owner) chownSync(path, this.#owner.uid, this.#owner.gid);
    }
    this.#free.push(...paths);
  }
}
