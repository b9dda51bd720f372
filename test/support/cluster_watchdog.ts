/**
 * Runs beside test clusters: stops and removes them once nobody has used their folder for a while,
 * however its users went. Arguments: the folder, and how many seconds it may stand unused.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { FolderInUse, lockFolder } from "../../src/db/embedded/folder_lock.ts";
import { findPostmaster, stopPostmaster } from "../../src/db/embedded/postmaster.ts";
import { processIdentity } from "../../src/db/embedded/process_identity.ts";
import { readRecord } from "../../src/db/embedded/record.ts";

const LOOK_EVERY_MS = 2_000;

/** Says that this process uses the cluster in `folder`, until it ends. */
export async function registerUser(folder: string): Promise<void> {
  await mkdir(join(folder, "users"), { recursive: true });
  const identity = (await processIdentity(process.pid)) ?? "";
  await writeFile(join(folder, "users", String(process.pid)), identity);
}

/** Pids of living users; entries of dead ones are removed. */
export async function livingUsers(folder: string): Promise<number[]> {
  const living: number[] = [];
  for (const name of await readdir(join(folder, "users")).catch(() => [])) {
    const path = join(folder, "users", name);
    const identity = await processIdentity(Number(name));
    const known = await readFile(path, "utf8").catch(() => "");
    if (identity !== undefined && identity === known) living.push(Number(name));
    else await rm(path, { force: true });
  }
  return living;
}

async function watch(folder: string, patienceMs: number): Promise<void> {
  let usedAt = Date.now();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_EVERY_MS, patienceMs || 200)));
    if ((await livingUsers(folder)).length > 0) usedAt = Date.now();
    else if (Date.now() - usedAt >= patienceMs && (await removeUnused(folder))) return;
  }
}

/** Under the guard, so that nobody joins while it goes. */
async function removeUnused(folder: string): Promise<boolean> {
  let release: () => Promise<void>;
  try {
    release = await lockFolder(folder, { name: "guard" });
  } catch (error) {
    // Somebody joins just now; or the folder is gone already.
    return !(error instanceof FolderInUse);
  }
  try {
    if ((await livingUsers(folder)).length > 0) return false;
    for (const data of await clustersIn(folder)) {
      const postmaster = await findPostmaster(data);
      if (postmaster) await stopPostmaster(postmaster, 20_000);
    }
    await rm(folder, { recursive: true, force: true });
    return true;
  } finally {
    await release();
  }
}

/** Clusters of data folders at `folder` and right below it. */
async function clustersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
  const found: string[] = [];
  for (const dataDir of [folder, ...below]) {
    const record = await readRecord(dataDir).catch(() => undefined);
    if (record) found.push(join(resolve(dataDir, record.home), "data"));
  }
  return found;
}

const [folder, seconds] = process.argv.slice(2);
if (process.argv[1]?.endsWith("cluster_watchdog.ts") && folder) {
  await watch(folder, Number(seconds) * 1_000);
}
