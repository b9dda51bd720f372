/**
 * What a worker that died left behind. Each running attempt has a small record in the data folder;
 * the next worker on that folder ends the processes that it names and removes their folders, in
 * case that the watchdog died too.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { removeJobFolder } from "./job_folder.ts";
import type { JobUser } from "./job_user.ts";
import { bootId, readProcesses } from "./process_table.ts";
import { ProcessTree } from "./process_tree.ts";

interface RunRecord {
  session: number;
  /** The leader's start, in ticks since boot: tells a later process with its id apart. */
  start_ticks: number;
  mark: string;
  folder: string;
  boot: string;
}

export class RunRecords {
  readonly #folder: string;
  readonly #boot = bootId();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  add(tree: ProcessTree, folder: string): void {
    const record: RunRecord = {
      session: tree.leader,
      start_ticks: tree.startTicks,
      mark: tree.mark,
      folder,
      boot: this.#boot,
    };
    writeFileSync(this.#pathOf(tree.leader), JSON.stringify(record), { mode: 0o600 });
  }

  remove(tree: ProcessTree): void {
    rmSync(this.#pathOf(tree.leader), { force: true });
  }

  /** Ends what the records name. Returns how many attempts had something left. */
  async sweep(user: JobUser | null): Promise<number> {
    let found = 0;
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name);
      const record = readRecord(path);
      if (record && record.boot === this.#boot) found += await endLeftover(record);
      if (record && basename(record.folder).startsWith("signalbox-job-")) {
        await removeJobFolder(record.folder, user);
      }
      rmSync(path, { force: true });
    }
    return found;
  }

  #pathOf(session: number): string {
    return join(this.#folder, `${session}.json`);
  }
}

function readRecord(path: string): RunRecord | null {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as RunRecord;
    return Number.isInteger(record.session) && record.session > 1 ? record : null;
  } catch {
    return null;
  }
}

/**
 * While a session has members its id is not given to another process, so a leader with another
 * start time means that ours is long gone; then only the marks count.
 */
async function endLeftover(record: RunRecord): Promise<number> {
  const leader = readProcesses().get(record.session);
  const isOurs = !leader || leader.startTicks === record.start_ticks;
  const tree = new ProcessTree(isOurs ? record.session : 0, record.mark, record.start_ticks);
  if (tree.members(readProcesses(), true).length === 0) return 0;
  await tree.killAll();
  return 1;
}
