/**
 * One server per data folder. The lock is a file that says who holds it; it is taken by `link`,
 * which either makes it whole or fails. A holder that was killed leaves it behind: whoever comes
 * next sees that the process (pid and start) is gone and replaces it, under a second lock that is
 * held for a moment only, so that two who come at once do not both replace it.
 *
 * A data folder on a shared volume can be held from another machine or container, whose processes
 * nobody here sees. Holders therefore touch the lock every few seconds; one from elsewhere counts
 * until it has not been touched for a while.
 */
import { randomUUID } from "node:crypto";
import {
  link,
  mkdir,
  readFile,
  readlink,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { processIdentity } from "./process_identity.ts";

export interface Holder {
  pid: number;
  /** Boot and start of the process. */
  identity: string;
  /** Machine and process namespace in which the pid means something. */
  place: string;
  host: string;
  /** When the holder took the lock, ISO 8601. */
  since: string;
}

export class FolderInUse extends Error {
  readonly holder: Holder;
  constructor(folder: string, holder: Holder) {
    super(
      `The data folder ${folder} is in use by process ${holder.pid} on ${holder.host} ` +
        `(since ${holder.since}): stop that server first, or set SIGNALBOX_DATA to another folder.`,
    );
    this.name = "FolderInUse";
    this.holder = holder;
  }
}

export interface LockOptions {
  /** Name of the lock file. */
  name?: string;
  /** How long a lock from elsewhere counts after its last touch. */
  elsewhereMs?: number;
}

const TOUCH_EVERY_MS = 4_000;
const ELSEWHERE_MS = 15_000;
const GUARD_STALE_MS = 10_000;
const POLL_MS = 20;
const DEADLINE_MS = 60_000;

/** Throws `FolderInUse` where a living process holds the folder. Returns the release. */
export async function lockFolder(
  folder: string,
  { name = "lock", elsewhereMs = ELSEWHERE_MS }: LockOptions = {},
): Promise<() => Promise<void>> {
  const path = join(folder, name);
  const mine = JSON.stringify({ ...(await self()), nonce: randomUUID() });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    const deadline = Date.now() + DEADLINE_MS;
    while (Date.now() < deadline) {
      if (await makeLink(draft, path)) return hold(path, mine);
      const verdict = await judge(path, elsewhereMs);
      if (typeof verdict === "object") throw new FolderInUse(folder, verdict);
      if (verdict === "stale") await removeStale(path, elsewhereMs);
    }
    throw new Error(`The lock ${path} could not be taken: remove it if no server is running.`);
  } finally {
    await rm(draft, { force: true });
  }
}

async function self(): Promise<Holder> {
  return {
    pid: process.pid,
    identity: (await processIdentity(process.pid)) ?? "",
    place: await placeOfPids(),
    host: hostname(),
    since: new Date().toISOString(),
  };
}

async function placeOfPids(): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => hostname());
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return `${boot.trim()} ${namespace}`.trim();
}

async function makeLink(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function hold(path: string, mine: string): () => Promise<void> {
  const touch = () => utimes(path, new Date(), new Date()).catch(() => {});
  const timer = setInterval(() => void touch(), TOUCH_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    const now = await readFile(path, "utf8").catch(() => "");
    if (now === mine) await rm(path, { force: true });
  };
}

/** Its living holder; or whether the file is there without one, or not there. */
type Verdict = Holder | "stale" | "free";

/** Waits for the verdict on a holder from elsewhere: silent for long enough is dead. */
async function judge(path: string, elsewhereMs: number): Promise<Verdict> {
  const here = await placeOfPids();
  let touched: number | undefined;
  for (;;) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) return "free";
    const holder = parseHolder(text);
    if (!holder) return "stale";
    if (holder.place === here) {
      return (await processIdentity(holder.pid)) === holder.identity ? holder : "stale";
    }
    const facts = await stat(path).catch(() => undefined);
    if (!facts) return "free";
    if (Date.now() - facts.mtimeMs > elsewhereMs) return "stale";
    // Touched while we watched: somebody is there.
    if (touched !== undefined && facts.mtimeMs > touched) return holder;
    touched = facts.mtimeMs;
    await pause(POLL_MS);
  }
}

/** Undefined where a power cut left half of it, or nothing: nobody's. */
function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    return typeof holder?.pid === "number" ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Removes the lock of a dead holder; the guard makes "look again, then remove" one step. Only a
 * file that was seen to be stale is removed: one that was missing may have been made since.
 */
async function removeStale(path: string, elsewhereMs: number): Promise<void> {
  const guard = `${path}.guard`;
  try {
    await mkdir(guard);
  } catch {
    const facts = await stat(guard).catch(() => undefined);
    const age = facts ? Date.now() - facts.mtimeMs : 0;
    if (age > GUARD_STALE_MS) await rmdir(guard).catch(() => {});
    else await pause(POLL_MS);
    return;
  }
  try {
    if ((await judge(path, elsewhereMs)) === "stale") await rm(path, { force: true });
  } finally {
    await rmdir(guard).catch(() => {});
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
