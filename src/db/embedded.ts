/**
 * A real PostgreSQL under the data folder, for whoever has set no DATABASE_URL.
 *
 * What must hold: one server per data folder (a lock), one postmaster per cluster (its own lock and
 * our look at who is there), data kept whatever dies. The postmaster is in a session of its own; if
 * we are killed it stays, and the next start adopts it. If it is killed, we start it again on the
 * same port, so that every pool simply reconnects.
 */
import { mkdir } from "node:fs/promises";
import { bringUp } from "./embedded/bring_up.ts";
import { databaseUrl } from "./embedded/cluster.ts";
import { lockFolder } from "./embedded/folder_lock.ts";
import { prepareHome } from "./embedded/home.ts";
import { findPostmaster, stopPostmaster } from "./embedded/postmaster.ts";
import { SETTINGS, type Settings } from "./embedded/settings.ts";

export interface EmbeddedLog {
  info(text: string): void;
  warn(text: string): void;
}

export interface EmbeddedOptions {
  dataDir: string;
  log: EmbeddedLog;
  settings?: Settings;
  fallbackRoot?: string;
}

export interface Embedded {
  url: string;
  pid(): number | undefined;
  stop(): Promise<void>;
}

const STOP_PATIENCE_MS = 60_000;

export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const release = await lockFolder(options.dataDir);
  try {
    const home = await prepareHome({ ...options, warn: (text) => options.log.warn(text) });
    const found = await findPostmaster(home.place.data);
    if (found) await stopPostmaster(found, STOP_PATIENCE_MS);
    const postmaster = await bringUp(home, {
      dataDir: options.dataDir,
      settings: options.settings ?? SETTINGS,
    });
    return {
      url: databaseUrl(home.record),
      pid: () => postmaster.pid,
      stop: async () => {
        await stopPostmaster(postmaster, STOP_PATIENCE_MS);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
