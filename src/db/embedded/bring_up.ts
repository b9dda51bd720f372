/** From a prepared home to a PostgreSQL that accepts connections, on a free port. */
import { chown, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureCluster, ensureDatabase } from "./cluster.ts";
import { freePort } from "./free_port.ts";
import type { Home } from "./home.ts";
import { type Postmaster, startPostmaster } from "./postmaster.ts";
import { writeRecord } from "./record.ts";
import { type Settings, settingsFile } from "./settings.ts";

export interface BringUpOptions {
  /** Where `database.json` stands. */
  dataDir: string;
  settings: Settings;
  onExit?: (how: string) => void;
}

/** Crash recovery of a few gigabytes of WAL on a slow disk takes minutes. */
const START_DEADLINE_MS = 300_000;
const PORT_TRIES = 5;

/** Starts the cluster of `home`, which must not be running. Keeps the recorded port if it can. */
export async function bringUp(home: Home, options: BringUpOptions): Promise<Postmaster> {
  await ensureCluster(home);
  for (let round = 1; ; round++) {
    const port = await freePort(home.record.port);
    await rememberPort(home, options.dataDir, port);
    await writeSettings(home, options.settings);
    try {
      const postmaster = await startPostmaster(home.place, {
        deadlineMs: START_DEADLINE_MS,
        onExit: options.onExit,
      });
      await ensureDatabase(home.record);
      return postmaster;
    } catch (error) {
      // Somebody took the port between our look and PostgreSQL's start.
      if (round >= PORT_TRIES || !/could not bind|Address already in use/.test(String(error))) {
        throw error;
      }
    }
  }
}

async function rememberPort(home: Home, dataDir: string, port: number): Promise<void> {
  if (port === home.record.port) return;
  home.record = { ...home.record, port };
  await writeRecord(dataDir, home.record);
}

/** Returns whether the file had to change. */
export async function writeSettings(home: Home, settings: Settings): Promise<boolean> {
  const path = join(home.place.data, "signalbox.conf");
  const text = settingsFile(settings, home.record.port);
  if ((await readFile(path, "utf8").catch(() => "")) === text) return false;
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  const { account } = home.place;
  if (account) await chown(`${path}.new`, account.uid, account.gid);
  await rename(`${path}.new`, path);
  return true;
}
