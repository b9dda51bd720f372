/** Walks over a folder of logs: `<day>/<bucket>/<job>.<attempt>.log`. Whatever else lies there is left alone. */
import { opendir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ownerOf, startOfDay } from "./log_path.ts";
import type { LogFacts } from "./log_store.ts";

export async function listDays(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(nothingThere);
  return names.filter((name) => startOfDay(name) !== null).sort();
}

/** Owners of the logs of one day. */
export async function* walkDay(folder: string, day: string) {
  for (const bucket of await readdir(join(folder, day)).catch(nothingThere)) {
    for await (const { name } of await entriesOf(join(folder, day, bucket))) {
      const owner = ownerOf(name);
      if (owner !== null) yield { ...owner, path: join(folder, day, bucket, name) };
    }
  }
}

export async function* readDay(folder: string, day: string): AsyncIterable<LogFacts> {
  for await (const { job, attempt, path } of walkDay(folder, day)) {
    const facts = await stat(path).catch(() => null);
    if (facts?.isFile()) yield { job, attempt, bytes: facts.size, modified: facts.mtimeMs };
  }
}

async function entriesOf(folder: string): Promise<AsyncIterable<{ name: string }>> {
  try {
    return await opendir(folder);
  } catch (error) {
    nothingThere(error as NodeJS.ErrnoException);
    return (async function* () {})();
  }
}

/** Retention may be faster; and a file is no folder. */
function nothingThere(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
  throw error;
}
