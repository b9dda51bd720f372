/**
 * One PostgreSQL server process (the postmaster) on one data directory: find it, start it, stop it.
 *
 * It is started in a session of its own, so that Ctrl-C in our terminal does not reach it, and it
 * may outlive us: after `kill -9` of the server it stays, and the next start finds it by
 * `postmaster.pid`. A pid in that file counts only if the process there is a PostgreSQL that was
 * started on this very directory; pids are given again after a crash or a reboot.
 */

import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { platform } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { boundLog } from "./log_file.ts";
import { commandLine, processIdentity } from "./process_identity.ts";

export interface Place {
  /** The data directory that initdb made; an absolute path without links. */
  data: string;
  logFile: string;
  binaries: Binaries;
  /** Folder with library links. */
  libraries: string;
  /** The user to run as; undefined: our own. */
  account: Account | undefined;
}

export interface Postmaster {
  pid: number;
  identity: string;
  port: number;
  /** It accepts connections. */
  ready: boolean;
}

/** No process can have this pid: it is above the largest that Linux or macOS gives. */
const NOBODYS_PID = 4_194_305;
const POLL_MS = 20;

/** Environment of PostgreSQL: ours may hold secrets, and is nobody's business. */
export function childEnvironment(
  place: Pick<Place, "libraries" | "binaries">,
): Record<string, string> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LC_ALL: "C",
    TZ: "UTC",
    LD_LIBRARY_PATH: `${place.libraries}:${join(place.binaries.root, "lib")}`,
  };
}

/** The PostgreSQL that runs on this data directory, whoever started it. */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number.parseInt(lines[0] ?? "", 10);
  const identity = await processIdentity(pid);
  if (identity === undefined || !(await servesDirectory(pid, data))) return undefined;
  return {
    pid,
    identity,
    port: Number.parseInt(lines[3] ?? "0", 10),
    ready: (lines[7] ?? "").trim() === "ready",
  };
}

/** Of its children only the title begins with "postgres:"; both count. */
async function isPostgres(pid: number): Promise<boolean> {
  return basename((await commandLine(pid))[0] ?? "").startsWith("postgres");
}

/** The working folder of a postmaster is its data directory, also after that was renamed. */
async function servesDirectory(pid: number, data: string): Promise<boolean> {
  if (!(await isPostgres(pid))) return false;
  if ((await readlink(`/proc/${pid}/cwd`).catch(() => "")) === data) return true;
  return (await commandLine(pid)).join(" ").endsWith(` -D ${data}`);
}

/**
 * Starts PostgreSQL and waits until it accepts connections. Throws with the end of its log where it
 * does not come up within `deadlineMs` (crash recovery may take minutes, so be generous).
 */
export async function startPostmaster(place: Place, deadlineMs: number): Promise<Postmaster> {
  await disarmStalePidFile(place.data);
  await killOrphans(place.data);
  const logFrom = await boundLog(place.logFile);
  const child = spawnPostmaster(place);
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    if (child.ended !== undefined) throw await startFailure(place, logFrom, child.ended);
    const found = await findPostmaster(place.data);
    if (found?.ready && found.pid === child.pid) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await stopPid(child.pid, "SIGQUIT", 5_000);
  throw await startFailure(place, logFrom, `did not accept connections in ${deadlineMs / 1000} s`);
}

function spawnPostmaster(place: Place): { pid: number; ended: string | undefined } {
  const log = openSync(place.logFile, "a", 0o600);
  try {
    const child = spawn(place.binaries.postgres, ["-D", place.data], {
      cwd: "/",
      detached: true,
      env: childEnvironment(place),
      stdio: ["ignore", log, log],
      ...(place.account ? { uid: place.account.uid, gid: place.account.gid } : {}),
    });
    const state: { pid: number; ended: string | undefined } = {
      pid: child.pid ?? 0,
      ended: undefined,
    };
    child.on("error", (error) => {
      state.ended = `could not be run: ${error.message}`;
    });
    child.on("exit", (code, signal) => {
      state.ended = signal ? `was ended by ${signal}` : `ended with code ${code}`;
    });
    // It must not keep us alive: if we leave without stopping it, the next start takes it over.
    child.unref();
    return state;
  } finally {
    closeSync(log);
  }
}

/** Says what PostgreSQL said, and no more than this start's part of it. */
async function startFailure(place: Place, logFrom: number, what: string): Promise<Error> {
  const bytes = await readFile(place.logFile).catch(() => Buffer.alloc(0));
  const said = bytes.subarray(logFrom).toString("utf8").trimEnd().split("\n").slice(-8).join("\n");
  return new Error(`PostgreSQL ${what}. It said, in ${place.logFile}:\n${said}`);
}

/**
 * PostgreSQL refuses to start while the pid in a left-over `postmaster.pid` is alive, even if it is
 * somebody else's by now. The file must not be removed: its last lines let PostgreSQL notice
 * processes of the crashed server that are still at work. So only the pid is replaced.
 */
async function disarmStalePidFile(data: string): Promise<void> {
  const path = join(data, "postmaster.pid");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  // Cut off while it was written: PostgreSQL asks for its removal.
  if (text.trim() === "") return await rm(path);
  await writeFile(path, [String(NOBODYS_PID), ...text.split("\n").slice(1)].join("\n"));
}

/**
 * Ends what a killed postmaster left behind: a backend in a long statement does not notice that its
 * server died, and keeps the new one from starting. Only where there is a /proc to find them.
 */
async function killOrphans(data: string): Promise<void> {
  if (platform() !== "linux") return;
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (cwd !== data || !(await isPostgres(pid))) continue;
    await stopPid(pid, "SIGKILL", 5_000);
  }
}

/**
 * Stops PostgreSQL: fast (clients are cut, everything is written), and only if that takes longer
 * than `patienceMs` at once, which costs the next start a recovery but loses nothing.
 */
export async function stopPostmaster(postmaster: Postmaster, patienceMs: number): Promise<void> {
  if ((await processIdentity(postmaster.pid)) !== postmaster.identity) return;
  if (await stopPid(postmaster.pid, "SIGINT", patienceMs)) return;
  if (await stopPid(postmaster.pid, "SIGQUIT", 5_000)) return;
  await stopPid(postmaster.pid, "SIGKILL", 5_000);
}

/** Signals and waits; whether the process is gone. */
async function stopPid(pid: number, signal: NodeJS.Signals, patienceMs: number): Promise<boolean> {
  try {
    process.kill(pid, signal);
  } catch {
    return (await processIdentity(pid)) === undefined;
  }
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    if ((await processIdentity(pid)) === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}
