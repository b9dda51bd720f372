/**
 * A real PostgreSQL under the data folder, for whoever has set no DATABASE_URL.
 *
 * What must hold: one server per data folder (a lock), one postmaster per cluster (PostgreSQL's own
 * lock, and our look at who is there), data kept whatever dies. The postmaster is in a session of
 * its own: Ctrl-C does not reach it before we are done with it, and if we are killed it stays, and
 * the next start takes it over. If it is killed, we start it again on the same port.
 *
 * `docs/database.md` tells the operator's side: files, users, backups, settings.
 */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { databaseUrl } from "./embedded/cluster.ts";
import { FolderInUse, lockFolder } from "./embedded/folder_lock.ts";
import { prepareHome } from "./embedded/home.ts";
import { SETTINGS, type Settings } from "./embedded/settings.ts";
import { Supervisor } from "./embedded/supervisor.ts";
import { takeOver } from "./embedded/take_over.ts";

export interface EmbeddedLog {
  info(text: string): void;
  warn(text: string): void;
}

export interface EmbeddedOptions {
  /** The data folder; made with mode 0700 where it is missing. */
  dataDir: string;
  log: EmbeddedLog;
  settings?: Settings;
  /** Where clusters go whose user cannot enter the data folder; /var/lib/signalbox. */
  fallbackRoot?: string;
}

export interface Embedded {
  /** The database `signalbox`, as its owner, who is no superuser. Stays the same until `stop`. */
  readonly url: string;
  /** Process of PostgreSQL; undefined while it is being started again. */
  readonly pid: number | undefined;
  /** Calls `listener` each time PostgreSQL died without being told to. Returns the way to stop. */
  onExit(listener: () => void): () => void;
  /** Stops PostgreSQL cleanly and lets go of the data folder. */
  stop(): Promise<void>;
}

/** Throws a sentence where the folder is in use, unusable, or PostgreSQL does not come up. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { log } = options;
  const dataDir = resolve(options.dataDir);
  const release = await openFolder(dataDir);
  try {
    const home = await prepareHome({ ...options, dataDir, warn: (text) => log.warn(text) });
    const how = {
      dataDir,
      settings: options.settings ?? SETTINGS,
      info: (text: string) => log.info(text),
    };
    const supervisor = new Supervisor(await takeOver(home, how), {
      logFile: home.place.logFile,
      restart: () => takeOver(home, { ...how, samePort: true }),
      log,
    });
    return {
      url: databaseUrl(home.record),
      get pid() {
        return supervisor.pid;
      },
      onExit: (listener) => supervisor.onExit(listener),
      stop: async () => {
        await supervisor.stop();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Locks the folder, too: whether it can be used shows when it is (Deno's `access` misleads root). */
async function openFolder(dataDir: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return await lockFolder(dataDir);
  } catch (cause) {
    const code = (cause as { code?: string }).code;
    if (cause instanceof FolderInUse || code === undefined) throw cause;
    throw new Error(
      `The data folder ${dataDir} cannot be used (${code}): ` +
        "start Signalbox as the user who owns it, or set SIGNALBOX_DATA to another folder.",
      { cause },
    );
  }
}
