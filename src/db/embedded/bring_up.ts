/** From a prepared home to a PostgreSQL that accepts connections, on a free port. */
import { chown, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./free_port.ts";
import type { Home } from "./home.ts";
import { type Postmaster, startPostmaster } from "./postmaster.ts";
import { type Record, writeRecord } from "./record.ts";
import { type Settings, settingsFile } from "./settings.ts";

export interface BringUpOptions {
  /** Where `database.json` stands. */
  dataDir: string;
  settings: Settings;
  /** Take the recorded port or fail: somebody holds connections that expect it. */
  samePort?: boolean;
}

/** Crash recovery of a few gigabytes of WAL on a slow disk takes minutes. */
const START_DEADLINE_MS = 300_000;
const PORT_TRIES = 5;

/** Starts the cluster of `home`, which must not be running. Keeps the recorded port if it can. */
export async function bringUp(home: Home, options: BringUpOptions): Promise<Postmaster> {
  for (let round = 1; ; round++) {
    const port = options.samePort ? home.record.port : await freePort(home.record.port);
    await updateRecord(home, options.dataDir, { port });
    await writeSettings(home, options.settings);
    try {
      return await startPostmaster(home.place, START_DEADLINE_MS);
    } catch (error) {
      // Somebody took the port between our look and PostgreSQL's start.
      const portTaken = /could not bind|Address already in use/.test(String(error));
      if (options.samePort || round >= PORT_TRIES || !portTaken) throw error;
    }
  }
}

export async function updateRecord(
  home: Home,
  dataDir: string,
  changes: Partial<Record>,
): Promise<void> {
  const next = { ...home.record, ...changes };
  if (JSON.stringify(next) === JSON.stringify(home.record)) return;
  home.record = next;
  await writeRecord(dataDir, next);
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
