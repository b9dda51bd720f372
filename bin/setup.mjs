/**
 * What a fresh clone lacks: the pinned Bun (as an ordinary npm package, no install script needed)
 * and the packages of bun.lock. Done already, this costs a few milliseconds.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { access, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { alone } from "./setup_lock.mjs";

const run = promisify(execFile);

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TOOLS = join(ROOT, ".tools");
const NODE_MAJOR_MIN = 20;

/** A failure that a sentence explains; no stack is printed. */
export class SetUpError extends Error {}

/**
 * Gives the path of a Bun that can run this project, with the packages in place.
 * @param {(line: string) => void} say told what takes long
 * @returns {Promise<string>}
 */
export async function setUp(say) {
  checkNode(process.versions.node);
  const version = await pinnedVersion();
  const stamp = await fingerprint(version);
  const ready = await findBun(version);
  if (ready && (await isInstalled(stamp))) return ready;
  try {
    await mkdir(TOOLS, { recursive: true });
    await access(TOOLS, constants.W_OK);
    await access(ROOT, constants.W_OK);
  } catch (error) {
    throw new SetUpError(`Cannot write in ${ROOT} (${error.code}): run as the folder's owner.`);
  }
  return alone(join(TOOLS, "setup.lock"), say, async () => {
    const bun = (await findBun(version)) ?? (await fetchBun(version, say));
    if (!(await isInstalled(stamp))) await install(bun, stamp, say);
    return bun;
  });
}

/** @param {string} version such as "20.1.0" */
export function checkNode(version) {
  if (Number(version.split(".")[0]) >= NODE_MAJOR_MIN) return;
  throw new SetUpError(`Node ${version} is too old: install Node ${NODE_MAJOR_MIN} or later.`);
}

/** `packageManager` in package.json says it: "bun@1.2.3". */
async function pinnedVersion() {
  const { packageManager } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return packageManager.split("@")[1];
}

// Bun

async function findBun(version) {
  if (process.versions.bun === version) return process.execPath;
  const fetched = await binaryIn(join(TOOLS, `bun-${version}`), version);
  if (fetched) return fetched;
  return (await versionOf("bun")) === version ? "bun" : undefined;
}

/** The package holds a binary for this machine only; where it holds two, the one that runs. */
async function binaryIn(folder, version) {
  const packages = join(folder, "node_modules/@oven");
  for (const name of await readdir(packages).catch(() => [])) {
    const binary = join(packages, name, "bin", process.platform === "win32" ? "bun.exe" : "bun");
    if (existsSync(binary) && (await versionOf(binary)) === version) return binary;
  }
  return undefined;
}

async function versionOf(command) {
  return run(command, ["--version"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/** Installed beside and renamed, so that a broken download leaves nothing that looks whole. */
async function fetchBun(version, say) {
  say(`Fetching Bun ${version} through npm …`);
  const folder = join(TOOLS, `bun-${version}`);
  const beside = join(TOOLS, `fetching-${process.pid}`);
  for (const name of await readdir(TOOLS)) {
    // Left by a set-up that was killed; we hold the lock.
    if (name.startsWith("fetching-")) await rm(join(TOOLS, name), { recursive: true, force: true });
  }
  try {
    await cp(join(ROOT, "bin/bun"), beside, { recursive: true });
    await npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", beside], beside);
    await rm(folder, { recursive: true, force: true });
    await rename(beside, folder);
  } catch (error) {
    const other = await versionOf("bun");
    if (other) {
      say(`Bun ${version} could not be fetched (${reason(error)}); going on with Bun ${other}.`);
      return "bun";
    }
    throw new SetUpError(
      `Bun ${version} could not be fetched through npm: ${reason(error)}\n` +
        `Check the network and npm's registry and proxy settings, or install Bun ${version} from https://bun.sh; then start again.`,
    );
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  const binary = await binaryIn(folder, version);
  if (binary) return binary;
  throw new SetUpError(`Bun has no build that runs on ${process.platform}-${process.arch}.`);
}

function npm(args, cwd) {
  const own = process.env.npm_execpath;
  const [command, first] = own?.endsWith(".js") ? [process.execPath, [own]] : ["npm", []];
  return caching((env) => run(command, [...first, ...args], { cwd, env }));
}

/** Both keep their caches in the home folder; a user without one gets them here for the while. */
async function caching(work) {
  const home = await access(homedir(), constants.W_OK).then(
    () => true,
    () => false,
  );
  if (home) return work(process.env);
  const cache = join(TOOLS, "cache");
  try {
    return await work({
      ...process.env,
      npm_config_cache: join(cache, "npm"),
      BUN_INSTALL_CACHE_DIR: join(cache, "bun"),
    });
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

// Packages

const STAMP = join(ROOT, "node_modules/.signalbox-installed");

async function fingerprint(version) {
  const patches = (await readdir(join(ROOT, "patches")).catch(() => [])).sort();
  const names = ["bun.lock", "package.json", ...patches.map((name) => join("patches", name))];
  const hash = createHash("sha256").update(version);
  for (const name of names) hash.update(await readFile(join(ROOT, name)));
  return hash.digest("hex");
}

async function isInstalled(stamp) {
  return (await readFile(STAMP, "utf8").catch(() => "")) === stamp;
}

async function install(bun, stamp, say) {
  say("Installing packages …");
  const args = ["install", "--frozen-lockfile", "--ignore-scripts", "--no-progress"];
  // npm tells its children where certificates stand; Bun wants to be told.
  const authority = process.env.npm_config_cafile;
  if (authority) args.push("--cafile", authority);
  const startedAt = Date.now();
  try {
    await caching((env) => run(bun, args, { cwd: ROOT, env, maxBuffer: 1 << 26 }));
  } catch (error) {
    throw new SetUpError(
      `The packages of bun.lock could not be installed: ${reason(error)}\n` +
        "Check the network and the space left on the disk; then start again.",
    );
  }
  await writeFile(STAMP, stamp);
  say(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

/** The line of npm's or Bun's output that says most. */
function reason(error) {
  if (error.code === "ENOENT") return "npm was not found.";
  const lines = `${error.stderr ?? ""}\n${error.stdout ?? ""}`.split("\n");
  const said = lines
    .filter((line) => /^\s*(npm )?err(or)?\b/i.test(line))
    .map((line) => line.replace(/^\s*(npm )?err(or)?!?:?\s*/i, "").trim())
    .filter((line) => !/^(code|syscall|errno|path|type|dest)\b/.test(line));
  return said[0] ?? error.message.split("\n")[0];
}
