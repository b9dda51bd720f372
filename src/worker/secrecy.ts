/**
 * Keeps the worker's secrets from the jobs that it runs as its own user.
 *
 * `/proc/PID/environ` shows the environment that a program was started with, whatever it deletes
 * later. So a worker that was given its token by environment replaces itself by a fresh image with
 * a clean one (same process, `execve`), and hands itself the token in a file that it removes when
 * it reads it. Then it makes itself unreadable altogether, where the system has a way. A worker
 * that is root and runs jobs as another user needs neither, and does both.
 *
 * What this cannot hide: files that the job's user may read, such as the token file or the
 * environment of whatever started the worker. For those there is `--run-as`.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { concealProcess } from "../runtime/conceal.ts";
import type { WorkerLog } from "./worker_log.ts";

type Env = Readonly<Record<string, string | undefined>>;

export const HANDOFF = "SIGNALBOX_WORKER_HANDOFF";
const SECRET = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|DATABASE_URL/i;

/** The environment without what a job must not read. */
export function withoutSecrets(env: Env): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !SECRET.test(name)) clean[name] = value;
  }
  return clean;
}

/** The token that this process handed to itself, if it did. */
export function takeHandoff(env: Env): string | undefined {
  const path = env[HANDOFF];
  if (!path) return undefined;
  try {
    const token = readFileSync(path, "utf8");
    rmSync(path, { force: true });
    return token;
  } catch {
    return undefined;
  }
}

/**
 * Returns where the environment holds no secret, or cannot be replaced; else this process begins
 * again, and the call does not return.
 */
export function shedEnvironment(env: Env, token: string, folder: string, log: WorkerLog): void {
  const clean = withoutSecrets(env);
  const secrets = Object.keys(env).filter((name) => env[name] !== undefined && !(name in clean));
  if (secrets.length === 0) return;
  const execve = (process as { execve?: (file: string, args: string[], env: object) => never })
    .execve;
  if (!execve) {
    log("warn", "this runtime cannot shed its environment; give the token with --token-file", {
      secrets,
    });
    return;
  }
  const path = join(folder, `handoff-${randomUUID()}`);
  writeFileSync(path, token, { mode: 0o600 });
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  try {
    execve(process.execPath, args, { ...clean, [HANDOFF]: path });
  } catch (error) {
    rmSync(path, { force: true });
    log("warn", "the environment could not be shed", { why: String(error) });
  }
}

export async function conceal(log: WorkerLog): Promise<void> {
  if (!(await concealProcess())) log("debug", "this process cannot be made unreadable for others");
}
