/**
 * One server per data folder. The lock is a file that says who holds it; it is taken by `link`,
 * which either makes it whole or fails. A holder that was killed leaves it behind: whoever comes
 * next sees that the process (pid and start) is gone and replaces it, under a second lock that is
 * held for a moment only, so that two who come at once do not both replace it.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { processIdentity } from "./process_identity.ts";

export interface Holder {
  pid: number;
  identity: string;
  /** When the holder took the lock, ISO 8601. */
  since: string;
}

export class FolderInUse extends Error {
  readonly holder: Holder;
  constructor(folder: string, holder: Holder) {
    super(
      `The data folder ${folder} is in use by process ${holder.pid} (since ${holder.since}): ` +
        "stop that server first, or set SIGNALBOX_DATA to another folder.",
    );
    this.name = "FolderInUse";
    this.holder = holder;
  }
}

const GUARD_STALE_MS = 10_000;
const ROUNDS = 200;

/** Throws `FolderInUse` where a living process holds the folder. Returns the release. */
export async function lockFolder(folder: string, name = "lock"): Promise<() => Promise<void>> {
  const path = join(folder, name);
  const mine = JSON.stringify({
    pid: process.pid,
    identity: (await processIdentity(process.pid)) ?? "",
    since: new Date().toISOString(),
    // Two locks taken by one process in one millisecond must differ too.
    nonce: randomUUID(),
  });
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if (await makeLink(draft, path)) return () => release(path, mine);
      const holder = await livingHolder(path);
      if (holder) throw new FolderInUse(folder, holder);
      await removeStale(path);
    }
    throw new Error(`The lock ${path} could not be taken: remove it if no server is running.`);
  } finally {
    await rm(draft, { force: true });
  }
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

async function livingHolder(path: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await readFile(path, "utf8")) as Holder;
    const identity = await processIdentity(holder.pid);
    return identity !== undefined && identity === holder.identity ? holder : undefined;
  } catch {
    // Gone by now, or unreadable after a power cut: nobody's.
    return undefined;
  }
}

/** Removes the lock of a dead holder; the guard makes "look again, then remove" one step. */
async function removeStale(path: string): Promise<void> {
  const guard = `${path}.guard`;
  try {
    await mkdir(guard);
  } catch {
    const age = await stat(guard).then(
      (facts) => Date.now() - facts.mtimeMs,
      () => 0,
    );
    if (age > GUARD_STALE_MS) await rmdir(guard).catch(() => {});
    else await new Promise((resolve) => setTimeout(resolve, 10));
    return;
  }
  try {
    if (!(await livingHolder(path))) await rm(path, { force: true });
  } finally {
    await rmdir(guard).catch(() => {});
  }
}

async function release(path: string, mine: string): Promise<void> {
  const now = await readFile(path, "utf8").catch(() => "");
  if (now === mine) await rm(path, { force: true });
}
