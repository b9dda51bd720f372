#!/usr/bin/env node
/**
 * One job of examples/packages.yaml: packs an installed package as npm would publish it, unpacks
 * the result in this job's own folder, and measures it. Its result goes to the job `report`.
 *
 *     node measure.mjs NAME        NAME stands in node_modules of this repository
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

const name = process.argv[2];
const source = join(REPOSITORY, "node_modules", name);
const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));

// A folder is packed as it is: no scripts, and nothing is asked of a registry.
run("npm", ["pack", source, "--ignore-scripts", "--offline", "--loglevel=error"]);
const tarball = readdirSync(".").find((file) => file.endsWith(".tgz"));
mkdirSync("unpacked");
run("tar", ["-xzf", tarball, "-C", "unpacked"]);

const files = listFiles("unpacked");
const packed = readFileSync(tarball);
const measured = {
  name,
  version,
  packed_bytes: packed.length,
  sha256: createHash("sha256").update(packed).digest("hex"),
  files: files.length,
  bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  largest: files.reduce((most, file) => (file.bytes > most.bytes ? file : most)),
  kinds: countKinds(files),
};
console.log(`${name} ${version}: ${measured.files} files, ${measured.bytes} bytes unpacked`);
writeFileSync(process.env.SIGNALBOX_RESULT ?? "result.json", JSON.stringify(measured));

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status === 0) return;
  console.error(`${command} ${args[0]} failed: ${error?.message ?? `exit code ${status}`}`);
  process.exit(1);
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => ({ path: relative(folder, path), bytes: statSync(path).size }));
}

function countKinds(list) {
  const kinds = {};
  for (const { path } of list)
    kinds[extname(path) || "none"] = (kinds[extname(path) || "none"] ?? 0) + 1;
  return kinds;
}
