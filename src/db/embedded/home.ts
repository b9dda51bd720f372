/**
 * Where a cluster lives. Usually in `<data folder>/postgres`. When root starts us, PostgreSQL runs
 * as an unprivileged user, and that user must be able to enter the cluster's folder: the data
 * folder then gets that user's group and mode 0710 (enter, but not list; everybody else stays out).
 * Where a folder above the data folder is closed to that user (a clone under /root), the cluster
 * lives in /var/lib/signalbox/<hash of the data folder's path> instead; `database.json` points
 * there.
 */
import { createHash } from "node:crypto";
import { chmod, chown, mkdir, realpath, rename, stat } from "node:fs/promises";
import { platform } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { type Account, canReach, databaseAccount, isRoot } from "./account.ts";
import { type Binaries, copyBinaries, findBinaries, linkLibraries } from "./binaries.ts";
import { findPostmaster, type Place, stopPostmaster } from "./postmaster.ts";
import { newRecord, type Record, readRecord, writeRecord } from "./record.ts";

export const FALLBACK_ROOT = "/var/lib/signalbox";
const INSIDE = "postgres";
const STOP_PATIENCE_MS = 60_000;

export interface Home {
  place: Place;
  record: Record;
  /** Folder of the cluster. */
  path: string;
}

export interface HomeOptions {
  dataDir: string;
  fallbackRoot?: string;
  warn: (text: string) => void;
}

/** Finds or makes the cluster's folder, with the right owner, and binaries its owner can run. */
export async function prepareHome(options: HomeOptions): Promise<Home> {
  const dataDir = await realpath(options.dataDir);
  const known = await readRecord(dataDir);
  const existing = resolve(dataDir, known?.home ?? INSIDE);
  const owner = await ownerOf(join(existing, "data"));
  const account = isRoot() ? (owner ?? (await databaseAccount(options.warn))) : undefined;
  if (!account && owner && owner.uid !== process.getuid?.()) throw foreign(existing, owner);
  const path = known ? existing : await chooseHome(dataDir, account, options);
  const inside = dirname(path) === dataDir;
  if (account && inside) await openDoor(dataDir, account);
  if (account && known && !(await canReach(account, dirname(path)))) throw closed(path, account);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (account) await chown(path, account.uid, account.gid);
  const record = known ?? newRecord(inside ? INSIDE : path);
  if (!known) await writeRecord(dataDir, record);
  const binaries = await reachableBinaries(account, path, options);
  const libraries = join(path, "lib");
  await linkLibraries(binaries, libraries);
  const [data, logFile] = [join(path, "data"), join(path, "server.log")];
  return { place: { data, logFile, binaries, libraries, account }, record, path };
}

function closed(path: string, account: Account): Error {
  return new Error(
    `User ${account.name}, who runs the database, can no longer enter ${dirname(path)}: ` +
      "let others enter the folders above it (chmod o+x), or move the data folder.",
  );
}

function foreign(path: string, owner: Account): Error {
  return new Error(
    `The database in ${path} belongs to user ${owner.uid}: start Signalbox as that user or as ` +
      "root, or set SIGNALBOX_DATA to another folder.",
  );
}

/** A cluster keeps its owner: whoever made it, root runs it as the same user again. */
async function ownerOf(data: string): Promise<Account | undefined> {
  const facts = await stat(data).catch(() => undefined);
  if (!facts || facts.uid === 0) return undefined;
  return { name: String(facts.uid), uid: facts.uid, gid: facts.gid };
}

async function chooseHome(
  dataDir: string,
  account: Account | undefined,
  options: HomeOptions,
): Promise<string> {
  const inside = join(dataDir, INSIDE);
  if (!account || (await canReach(account, dirname(dataDir)))) return inside;
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  const path = join(await fallbackRoot(options), hash);
  await moveAside(path, options.warn);
  return path;
}

/** A cluster of a data folder that was removed since: kept, but out of the way. */
async function moveAside(path: string, warn: (text: string) => void): Promise<void> {
  if (!(await stat(path).catch(() => undefined))) return;
  const running = await findPostmaster(join(path, "data"));
  if (running) await stopPostmaster(running, STOP_PATIENCE_MS);
  const aside = `${path}.before-${new Date().toISOString().replaceAll(":", "")}`;
  await rename(path, aside);
  warn(`The data folder's former database was moved to ${aside}: remove it if it is not needed.`);
}

/** Lets the database's user through the data folder, and nobody else. Its owner stays. */
async function openDoor(dataDir: string, account: Account): Promise<void> {
  const facts = await stat(dataDir);
  if (facts.uid === account.uid) return;
  await chown(dataDir, facts.uid, account.gid);
  await chmod(dataDir, (facts.mode & 0o700) | 0o010);
}

/** A copy for root is shared by all data folders: it is large, and nothing in it is secret. */
async function reachableBinaries(
  account: Account | undefined,
  home: string,
  options: HomeOptions,
): Promise<Binaries> {
  const binaries = await findBinaries();
  if (!account) {
    return platform() === "linux" ? binaries : await copyBinaries(binaries, join(home, "dist"));
  }
  const probes = [binaries.postgres, join(binaries.root, "share/postgresql/postgres.bki")];
  const reachable = (await Promise.all(probes.map((path) => mayRead(account, path)))).every(
    Boolean,
  );
  if (reachable && platform() === "linux") return binaries;
  return await copyBinaries(binaries, join(await fallbackRoot(options), "dist"));
}

/** Open to be entered, whatever the umask. */
async function fallbackRoot(options: HomeOptions): Promise<string> {
  const root = options.fallbackRoot ?? FALLBACK_ROOT;
  if (!(await stat(root).catch(() => undefined))) {
    await mkdir(root, { recursive: true });
    await chmod(root, 0o755);
  }
  return root;
}

async function mayRead(account: Account, path: string): Promise<boolean> {
  const facts = await stat(path);
  return (facts.mode & 0o004) !== 0 && (await canReach(account, dirname(path)));
}
