/**
 * Whom jobs run as. A worker that is root never runs them as root by accident: without `--run-as`
 * it takes `nobody`; `--run-as root` says otherwise on purpose. A worker that is not root cannot
 * change users: its jobs can read what it can read.
 */
import { execFileSync } from "node:child_process";
import process from "node:process";

export interface JobUser {
  name: string;
  uid: number;
  gid: number;
}

export const DEFAULT_JOB_USER = "nobody";

/** Null: jobs run as the worker's own user. Throws a sentence where the wish cannot be granted. */
export function findJobUser(runAs: string | undefined): JobUser | null {
  const own = process.getuid?.();
  if (own !== 0) {
    if (runAs === undefined) return null;
    throw new Error(
      `--run-as ${runAs}: only a worker that runs as root can run jobs as another user`,
    );
  }
  const name = runAs ?? DEFAULT_JOB_USER;
  if (name === "root" || name === "0") return null;
  return { name, uid: idOf("-u", name), gid: idOf("-g", name) };
}

const TOOLS = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

function idOf(flag: "-u" | "-g", name: string): number {
  try {
    const id = Number(execFileSync("id", [flag, "--", name], { encoding: "utf8", env: TOOLS }));
    if (Number.isInteger(id)) return id;
  } catch {
    // Said below.
  }
  throw new Error(`--run-as ${name}: there is no such user here; create it or name another`);
}
