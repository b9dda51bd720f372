/**
 * The worker's own folder: its id, which must outlive the process, and a lock, so that two
 * processes never speak with one id (the newer would take the older's leases).
 */
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { bootId, readProcess } from "./exec/process_table.ts";

export interface DataFolder {
  path: string;
  workerId: string;
  release(): void;
}

interface Holder {
  pid: number;
  start_ticks: number;
  boot: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TRIES = 5;

/** Makes the folder where there is none. Throws a sentence where another worker uses it. */
export function openDataFolder(path: string): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    throw new Error(`the worker's folder ${path} cannot be used: ${(error as Error).message}`);
  }
  const lock = join(path, "lock");
  takeLock(path, lock);
  return { path, workerId: workerIdIn(path), release: () => rmSync(lock, { force: true }) };
}

/**
 * The lock appears whole, by a link; a stale one is moved away first, which only one of several
 * takers can do.
 */
function takeLock(folder: string, lock: string): void {
  const own: Holder = {
    pid: process.pid,
    start_ticks: readProcess(process.pid)?.startTicks ?? 0,
    boot: bootId(),
  };
  const draft = join(folder, `lock.${process.pid}`);
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if (tryLink(draft, lock)) return;
      const holder = readHolder(lock);
      if (holder && isAlive(holder)) {
        throw new Error(
          `another worker (process ${holder.pid}) uses ${folder}; stop it, or give this one a ` +
            "folder of its own with --data",
        );
      }
      moveAway(lock, `${draft}.stale`, holder);
    }
    throw new Error(`the lock ${lock} cannot be taken; remove it if no worker uses it`);
  } finally {
    rmSync(draft, { force: true });
  }
}

function tryLink(draft: string, lock: string): boolean {
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
  }
}

function moveAway(lock: string, aside: string, stale: Holder | null): void {
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  // Another taker was quicker and this is its lock: give it back.
  if (moved && JSON.stringify(moved) !== JSON.stringify(stale)) tryLink(aside, lock);
  rmSync(aside, { force: true });
}

function readHolder(lock: string): Holder | null {
  try {
    return JSON.parse(readFileSync(lock, "utf8")) as Holder;
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid || holder.boot !== bootId()) return false;
  const found = readProcess(holder.pid);
  if (found) return found.startTicks === holder.start_ticks;
  if (process.platform === "linux") return false;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch {
    return false;
  }
}

function workerIdIn(folder: string): string {
  const path = join(folder, "worker_id");
  try {
    const id = readFileSync(path, "utf8").trim();
    if (UUID.test(id)) return id;
  } catch {
    // The first start.
  }
  const id = randomUUID();
  writeFileSync(`${path}.new`, `${id}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return id;
}
