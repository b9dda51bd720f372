import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { vendored } from "../../bin/vendor/write.ts";

const PUBLIC = fileURLToPath(new URL("../../public/", import.meta.url));
const require = createRequire(import.meta.url);

test("vendored files are what the installed packages give, and nothing else stands beside them", {
  timeout: 120_000,
}, async () => {
  const given = await vendored();
  const files = readdirSync(join(PUBLIC, "vendor")).filter((file) => file.endsWith(".js"));
  const known = [...given.keys()].filter((name) => name.startsWith("vendor/"));
  assert.deepEqual(files.sort(), known.map((name) => name.slice("vendor/".length)).sort());
  for (const [name, bytes] of given) {
    const committed = readFileSync(join(PUBLIC, name));
    assert.ok(committed.equals(bytes), `${name} differs: bun run vendor`);
  }
});

test("the vendor README names the version and the hash of each file", () => {
  const readme = readFileSync(join(PUBLIC, "vendor/README.md"), "utf8");
  const packages = { htmx: "htmx.org", "hx-sse": "htmx.org", echarts: "echarts" };
  for (const [file, name] of Object.entries(packages)) {
    const { version } = require(`${name}/package.json`) as { version: string };
    const hash = createHash("sha256")
      .update(readFileSync(join(PUBLIC, "vendor", `${file}.min.js`)))
      .digest("hex");
    const line = readme.split("\n").find((text) => text.startsWith(`| \`${file}.min.js\``));
    assert.ok(line?.includes(version), `${file} ${version}`);
    assert.ok(line?.includes(hash), `${file} ${hash}`);
  }
});

test("all that a first visit loads leaves room for the page within 250 KB", () => {
  const sizeOf = (folder: string) =>
    readdirSync(join(PUBLIC, folder))
      .filter((file) => /\.(js|css|woff2)$/.test(file))
      .reduce(
        (sum, file) => sum + brotliCompressSync(readFileSync(join(PUBLIC, folder, file))).length,
        0,
      );
  const total = ["css", "js", "vendor", "fonts"].reduce((sum, folder) => sum + sizeOf(folder), 0);
  assert.ok(total < 240_000, `${total} bytes`);
});
