import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PUBLIC = fileURLToPath(new URL("../../public/", import.meta.url));
const require = createRequire(import.meta.url);
const htmx = dirname(require.resolve("htmx.org/package.json"));

const SOURCES: Record<string, string> = {
  "vendor/htmx.min.js": join(htmx, "dist/htmx.min.js"),
  "vendor/hx-sse.min.js": join(htmx, "dist/ext/hx-sse.min.js"),
  "fonts/inter-latin-wght-normal.woff2": require.resolve(
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  ),
};

test("vendored files are the installed packages', byte for byte", () => {
  for (const [copy, source] of Object.entries(SOURCES)) {
    assert.deepEqual(readFileSync(join(PUBLIC, copy)), readFileSync(source), copy);
  }
});

test("nothing stands in the vendor folder without a source", () => {
  const files = readdirSync(join(PUBLIC, "vendor")).filter((file) => file !== "README.md");
  const known = Object.keys(SOURCES).filter((file) => file.startsWith("vendor/"));
  assert.deepEqual(files.sort(), known.map((file) => file.slice("vendor/".length)).sort());
});

test("the vendor README names the version and the hash of each file", () => {
  const readme = readFileSync(join(PUBLIC, "vendor/README.md"), "utf8");
  const { version } = require("htmx.org/package.json") as { version: string };
  for (const file of ["htmx.min.js", "hx-sse.min.js"]) {
    const hash = createHash("sha256")
      .update(readFileSync(join(PUBLIC, "vendor", file)))
      .digest("hex");
    const line = readme.split("\n").find((text) => text.startsWith(`| \`${file}\``));
    assert.ok(line?.includes(version) && line.includes(hash), file);
  }
});
