/**
 * Gets the one PostgreSQL of a cluster to run: takes over the one that a killed server left behind,
 * or starts it.
 */
import { type BringUpOptions, bringUp, updateRecord, writeSettings } from "./bring_up.ts";
import {
  checkVersion,
  clusterExists,
  ensureDatabase,
  makeCluster,
  resetPasswords,
} from "./cluster.ts";
import type { Home } from "./home.ts";
import { findPostmaster, type Postmaster, stopPostmaster } from "./postmaster.ts";

export interface TakeOverOptions extends BringUpOptions {
  info: (text: string) => void;
}

export const STOP_PATIENCE_MS = 60_000;
const ROUNDS = 3;
const POLL_MS = 50;
const READY_DEADLINE_MS = 300_000;

export async function takeOver(home: Home, options: TakeOverOptions): Promise<Postmaster> {
  for (let round = 1; ; round++) {
    const left = await adopt(home, options);
    if (left) return left;
    try {
      return await startAnew(home, options);
    } catch (error) {
      // A server that was killed a moment ago had just started one: it is there by now.
      const other = /already exists|still in use/.test(String(error));
      if (round >= ROUNDS || !other) throw error;
    }
  }
}

async function startAnew(home: Home, options: TakeOverOptions): Promise<Postmaster> {
  const { place } = home;
  if (await clusterExists(place.data)) {
    await checkVersion(place);
    if (!home.record.made) await resetPasswords(place, home.record);
  } else {
    if (home.record.made) throw lost(home);
    await makeCluster(home);
  }
  await updateRecord(home, options.dataDir, { made: true });
  const postmaster = await bringUp(home, options);
  await ensureDatabase(home.record);
  return postmaster;
}

function lost({ place }: Home): Error {
  return new Error(
    `The database ${place.data} is gone: restore it from a backup, ` +
      "or remove database.json from the data folder to begin with an empty one.",
  );
}

/**
 * Takes the PostgreSQL that already runs on the cluster, if it is of our version, has our settings
 * and lets us in; any other is stopped cleanly. Undefined where none runs any more.
 */
async function adopt(home: Home, options: TakeOverOptions): Promise<Postmaster | undefined> {
  const found = await readyPostmaster(home.place.data);
  if (!found) return undefined;
  const version = await ensureDatabase({ ...home.record, port: found.port }).catch(() => undefined);
  const same = version !== undefined && home.place.binaries.version.startsWith(`${version}.`);
  if (same) await updateRecord(home, options.dataDir, { port: found.port, made: true });
  if (same && !(await writeSettings(home, options.settings))) {
    options.info(`PostgreSQL was still running (process ${found.pid}): it was taken over.`);
    return found;
  }
  options.info(
    `PostgreSQL was still running (process ${found.pid}): it is stopped and started anew.`,
  );
  await stopPostmaster(found, STOP_PATIENCE_MS);
  return undefined;
}

/** Waits for one that is still recovering. One that is on its way out is waited for, too. */
async function readyPostmaster(data: string): Promise<Postmaster | undefined> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    const found = await findPostmaster(data);
    if (!found || found.ready || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
