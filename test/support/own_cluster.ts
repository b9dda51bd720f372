/**
 * A PostgreSQL of one's own, durable, to be killed and started again. It is removed when the test
 * process ends, however it ends.
 */
import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { databaseUrl } from "../../src/db/embedded/cluster.ts";
import { prepareHome } from "../../src/db/embedded/home.ts";
import { findPostmaster, stopPostmaster } from "../../src/db/embedded/postmaster.ts";
import { processIdentity } from "../../src/db/embedded/process_identity.ts";
import { readRecord } from "../../src/db/embedded/record.ts";
import { SETTINGS } from "../../src/db/embedded/settings.ts";
import { takeOver } from "../../src/db/embedded/take_over.ts";
import { migrate } from "../../src/db/migrate.ts";
import { registerUser } from "./cluster_watchdog.ts";
import { eventually } from "./eventually.ts";
import { fastFolder } from "./fast_folder.ts";
import { addPartitions, ensureWatchdog } from "./shared_cluster.ts";

export interface OwnCluster {
  /** Migrated, with partitions. The same before and after a restart. */
  readonly url: string;
  readonly postmasterPid: number;
  /** Kills the postmaster as the kernel would, and waits until it is gone. */
  kill9(): Promise<void>;
  /** Starts it again; stops it cleanly first where it runs. */
  restart(): Promise<void>;
  /** Stops and removes it. */
  stop(): Promise<void>;
}

/**
 * A folder for data folders of real servers: when this process ends, however it ends, every
 * embedded PostgreSQL of a data folder in it (it itself, or right below) is stopped and the folder
 * removed. `mode` 0755 lets other users enter it.
 */
export async function disposableFolder(mode = 0o700): Promise<string> {
  const folder = await mkdtemp(join(await fastFolder(), "signalbox-folder-"));
  await chmod(folder, mode);
  await registerUser(folder);
  await ensureWatchdog(folder, 1);
  return folder;
}

export async function ownCluster(): Promise<OwnCluster> {
  const dataDir = await disposableFolder();
  const home = await prepareHome({ dataDir, warn: () => {} });
  // Otherwise a killed server leaves segments in /dev/shm that nobody removes.
  const settings = { ...SETTINGS, dynamic_shared_memory_type: "mmap" };
  const start = () => takeOver(home, { dataDir, settings, info: () => {} });
  let postmaster = await start();
  const url = databaseUrl(home.record);
  await migrate(url);
  await addPartitions(url);
  return {
    url,
    get postmasterPid() {
      return postmaster.pid;
    },
    kill9: () => killAndWait(postmaster.pid),
    restart: async () => {
      await stopPostmaster(postmaster, 20_000);
      postmaster = await start();
    },
    stop: async () => {
      await stopPostmaster(postmaster, 20_000);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Process of the embedded PostgreSQL of a server with this data folder; undefined if none runs. */
export async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const record = await readRecord(dataDir);
  if (!record) return undefined;
  const home = record.home.startsWith("/")
    ? record.home
    : join(await realpath(dataDir), record.home);
  return (await findPostmaster(join(home, "data")))?.pid;
}

/** `kill -9`, and waits until the process is gone. */
export async function killAndWait(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  await eventually(async () => !(await processIdentity(pid)), `process ${pid} is gone`);
}
