import { copyFile, stat, truncate } from "node:fs/promises";

const LOG_BYTES = 8 * 2 ** 20;

/**
 * Keeps PostgreSQL's log at two files of at most 8 MiB. PostgreSQL appends, so emptying the file
 * under it is safe: its next line begins at 0. Returns where the next line will begin.
 */
export async function boundLog(path: string): Promise<number> {
  const size = await stat(path).then(
    (facts) => facts.size,
    () => 0,
  );
  if (size <= LOG_BYTES) return size;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  return 0;
}
