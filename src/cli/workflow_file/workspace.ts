/** The folder a workflow file speaks about: the repository it lies in. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The nearest folder at or above the file with a `.git`; else the file's own folder. */
export function findWorkspace(file: string): string {
  const start = dirname(resolve(file));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return folder;
    if (dirname(folder) === folder) return start;
  }
}
