/**
 * Writes what `public/` has from npm packages: `bun run vendor`. Copies htmx, bundles the parts of ECharts
 * that the charts use, and cuts the font to the letters and weights that the board prints. A page's
 * first visit weighs a third less for it; what comes out is committed, so that a server builds nothing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
// @ts-expect-error: the package has no types.
import subsetFont from "subset-font";

const require = createRequire(import.meta.url);
const PUBLIC = fileURLToPath(new URL("../../public/", import.meta.url));
const PARTS = fileURLToPath(new URL("./echarts_parts.js", import.meta.url));
const INTER = "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2";

/** Every vendored file by its name below `public/`. */
export async function vendored(): Promise<Map<string, Uint8Array>> {
  const htmx = join(dirname(require.resolve("htmx.org/package.json")), "dist");
  return new Map([
    ["vendor/htmx.min.js", readFileSync(join(htmx, "htmx.min.js"))],
    ["vendor/hx-sse.min.js", readFileSync(join(htmx, "ext/hx-sse.min.js"))],
    ["vendor/echarts.min.js", await bundleCharts()],
    ["fonts/inter.woff2", await cutFont(readFileSync(require.resolve(INTER)))],
  ]);
}

/** By esbuild, whose bundle is three hundredths smaller than Bun's. */
async function bundleCharts(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    ...{ entryPoints: [PARTS], bundle: true, minify: true, format: "iife", write: false },
    ...{ target: "es2022", legalComments: "none" },
  });
  return new TextEncoder().encode(`${LICENCE}${outputFiles[0]!.text}`);
}

const LICENCE =
  "/*! Apache ECharts and zrender: Apache-2.0 and BSD-3-Clause, see public/vendor/README.md */\n";

/** Western European letters, and what the board writes beside them. */
const MARKS = "–—‘’“”…•→←↑↓×÷−≤≥≠▶▲▼✓✗µΔ‹›ŒœŸ€™";

async function cutFont(whole: Buffer): Promise<Uint8Array> {
  const text = [letters(0x20, 0x7e), letters(0xa0, 0xff), MARKS].join("");
  return await subsetFont(whole, text, {
    targetFormat: "woff2",
    variationAxes: { wght: { min: 400, max: 700 } },
  });
}

function letters(from: number, to: number): string {
  return String.fromCodePoint(...Array.from({ length: to - from + 1 }, (_, at) => from + at));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, bytes] of await vendored()) writeFileSync(join(PUBLIC, name), bytes);
}
