/**
 * What must be remembered of an embedded cluster between starts: where it is, its port and its
 * passwords. `database.json` in the data folder, 0600, replaced whole.
 */
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Record {
  /** Folder of the cluster: "postgres" in the data folder, or an absolute path outside it. */
  home: string;
  port: number;
  /** The cluster was made: if it is missing now, it was lost. */
  made: boolean;
  /** Password of the role `signalbox`, which owns the database and is no superuser. */
  password: string;
  /** Password of the superuser `postgres`. */
  superuserPassword: string;
}

export const RECORD_FILE = "database.json";

export function newRecord(home: string): Record {
  const password = () => randomBytes(24).toString("base64url");
  return { home, port: 0, made: false, password: password(), superuserPassword: password() };
}

/** Undefined where there is none; throws a sentence where it cannot be understood. */
export async function readRecord(dataDir: string): Promise<Record | undefined> {
  const path = join(dataDir, RECORD_FILE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const { home, port, made, password, superuserPassword } = JSON.parse(text) as Record;
    if (typeof home === "string" && typeof password === "string" && superuserPassword) {
      return { home, port: Number(port) || 0, made: made === true, password, superuserPassword };
    }
  } catch {
    // Falls through to the sentence below.
  }
  throw new Error(
    `${path} is damaged: restore it from a backup; it holds the database's password.`,
  );
}

export async function writeRecord(dataDir: string, record: Record): Promise<void> {
  const path = join(dataDir, RECORD_FILE);
  await writeFile(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, {
    mode: 0o600,
    flush: true,
  });
  await rename(`${path}.new`, path);
}
