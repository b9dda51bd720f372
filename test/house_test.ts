/** What is said in two places has to be the same in both. */
import assert from "node:assert/strict";
import { access, glob, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { before, test } from "node:test";
import { BUN_MEMORY } from "../bin/bun_memory.mjs";
import { importsOf } from "./support/tidy/imports.ts";
import { ROOT, readTree, type Source } from "./support/tidy/source.ts";

interface Manifest {
  packageManager: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

let manifest: Manifest;
let tree: Source[];

before(async () => {
  manifest = JSON.parse(await read("package.json"));
  tree = await readTree();
});

function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), "utf8");
}

test("every version is pinned exactly", async () => {
  const bun = JSON.parse(await read("bin/bun/package.json"));
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...bun.dependencies };
  for (const [name, version] of Object.entries(all)) {
    assert.match(String(version), /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
  }
});

test("Bun is the same version wherever it is named", async () => {
  const version = manifest.packageManager.replace("bun@", "");
  const lock = JSON.parse(await read("bin/bun/package-lock.json"));
  assert.equal(JSON.parse(await read("bin/bun/package.json")).dependencies.bun, version);
  assert.equal(lock.packages["node_modules/bun"].version, version);
  assert.equal(manifest.devDependencies["bun-types"], version);
  const images = [...(await read("Dockerfile")).matchAll(/^FROM oven\/bun:([\d.]+)/gm)];
  assert.ok(images.length > 0);
  for (const [, image] of images) assert.equal(image, version);
});

test("Bun is told of the same memory in an image as by the launcher", async () => {
  const image = await read("Dockerfile");
  const settings = Object.entries(BUN_MEMORY);
  assert.ok(settings.length > 0);
  for (const [name, value] of settings) assert.ok(image.includes(`${name}=${value}`), name);
  const launcher = await read("bin/launch.mjs");
  assert.match(launcher, /\{ \.\.\.BUN_MEMORY, \.\.\.process\.env,/, "and a user's own wins");
});

test("what the program imports is installed without the packages for development", () => {
  for (const file of tree.filter(({ path }) => /^src\/.*\.ts$/.test(path))) {
    for (const specifier of importsOf(file)) {
      if (/^(\.|node:)/.test(specifier)) continue;
      const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0];
      assert.ok(name in manifest.dependencies, `${file.path} imports ${name}`);
    }
  }
});

test("no lock file names a registry", async () => {
  assert.doesNotMatch(await read("bun.lock"), /https?:\/\//);
  assert.doesNotMatch(await read("bin/bun/package-lock.json"), /"resolved"/);
});

test("every script that the pages name exists", () => {
  for (const { path, text } of pages()) {
    for (const [, name] of text.matchAll(/\b(?:npm|bun) run ([\w:]+)/g)) {
      assert.ok(name! in manifest.scripts, `${path}: there is no script ${name}`);
    }
  }
});

test("every file that a script or a page runs exists", async () => {
  for (const script of Object.values(manifest.scripts)) {
    for (const [file] of script.matchAll(/\S+\.(?:ts|mjs)\b/g)) await access(join(ROOT, file));
  }
  for (const { text } of pages()) {
    for (const [, file] of text.matchAll(
      /\b(?:bun|node|signalbox run|deno run -A) (\S+\.\w+)\b/g,
    )) {
      if (/^(src|docs|bin|examples|bench|test)\//.test(file!)) await access(join(ROOT, file!));
    }
  }
});

test("every link between the pages leads somewhere", async () => {
  for (const { path, text } of pages()) {
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:|^#/.test(link!)) continue;
      const target = normalize(join(dirname(path), link!.split("#")[0]!));
      const found = await Array.fromAsync(glob(target.replace(/\/$/, ""), { cwd: ROOT }));
      assert.ok(found.length > 0, `${path}: ${link} leads nowhere`);
    }
  }
});

test("every page is in the index", async () => {
  const index = await read("docs/README.md");
  for (const { path } of pages().filter(({ path }) => /^docs\/[^/]+\.md$/.test(path))) {
    const name = path.slice("docs/".length);
    if (name !== "README.md") assert.ok(index.includes(`(${name})`), `${name} is not in it`);
  }
});

function pages(): Source[] {
  return tree.filter(({ path }) => path.endsWith(".md"));
}
