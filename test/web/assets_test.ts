import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type Assets, loadAssets } from "../../src/web/assets.ts";

const PUBLIC = fileURLToPath(new URL("../../public/", import.meta.url));

describe("assets", () => {
  let assets: Assets;
  before(() => {
    assets = loadAssets(PUBLIC);
  });
  const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    assets.answer(new Request(`http://board${path}`, { headers, method }));
  const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

  test("a fingerprinted file may be kept for ever", async () => {
    const response = ask(assets.url("app.css"))!;
    assert.match(assets.url("app.css"), /^\/public\/app-[0-9a-f]{12}\.css$/);
    assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.equal(response.headers.get("content-type"), "text/css; charset=utf-8");
    assert.equal(response.headers.get("vary"), "accept-encoding");
  });

  test("compressed answers hold the same bytes", async () => {
    const path = assets.url("vendor.js");
    const plain = await bytes(ask(path)!);
    const br = ask(path, { "accept-encoding": "gzip, deflate, br" })!;
    assert.equal(br.headers.get("content-encoding"), "br");
    assert.deepEqual(brotliDecompressSync(await bytes(br)), plain);
    const gzip = ask(path, { "accept-encoding": "gzip" })!;
    assert.equal(gzip.headers.get("content-encoding"), "gzip");
    assert.deepEqual(gunzipSync(await bytes(gzip)), plain);
  });

  test("a coding that the client refuses is not used", () => {
    const response = ask(assets.url("app.js"), { "accept-encoding": "br;q=0, gzip;q=0.0" })!;
    assert.equal(response.headers.get("content-encoding"), null);
  });

  test("a font is sent as it is, since it is compressed already", () => {
    const path = assets.url("fonts/inter.woff2");
    const response = ask(path, { "accept-encoding": "br" })!;
    assert.equal(response.headers.get("content-encoding"), null);
    assert.equal(response.headers.get("content-type"), "font/woff2");
  });

  test("style sheets name fonts by their fingerprint", async () => {
    const css = (await bytes(ask(assets.url("app.css"))!)).toString();
    assert.ok(css.includes(assets.url("fonts/inter.woff2")));
    assert.doesNotMatch(css, /url\("\/fonts\//);
  });

  test("only known files are served, whatever the path", () => {
    const app = assets.url("app.css");
    for (const path of [
      "/public/app.css",
      "/public/../package.json",
      "/public/%2e%2e/package.json",
      "/public/css/20_base.css",
      "/public/vendor/README.md",
      `${app}/`,
      app.replace("css", "js"),
      "/public/__proto__",
    ]) {
      assert.equal(ask(path), undefined, path);
    }
  });

  test("all scripts together stay within 45 KB compressed", async () => {
    let total = 0;
    for (const name of ["vendor.js", "app.js"]) {
      total += (await bytes(ask(assets.url(name), { "accept-encoding": "gzip" })!)).length;
    }
    assert.ok(total < 45_000, `${total} bytes`);
  });

  test("HEAD tells the same headers without a body", async () => {
    const response = ask(assets.url("app.css"), {}, "HEAD")!;
    assert.equal((await bytes(response)).length, 0);
    assert.ok(response.headers.get("cache-control"));
  });
});

test("a class by itself gets its look in one sheet, so that no page changes another's", () => {
  const sheets = new Map<string, Set<string>>();
  for (const file of readdirSync(`${PUBLIC}css`)) {
    const css = readFileSync(`${PUBLIC}css/${file}`, "utf8").replaceAll(/\/\*.*?\*\//gs, "");
    for (const [, list] of css.replaceAll(/:\w+\([^)]*\)/g, ":x").matchAll(/([^{};]+)\{/g)) {
      for (const one of list!.split(",").map((text) => text.trim())) {
        if (!/^\.[\w-]+$/.test(one)) continue;
        sheets.set(one, (sheets.get(one) ?? new Set()).add(file));
      }
    }
  }
  assert.ok(sheets.size > 50, String(sheets.size));
  assert.deepEqual(
    [...sheets].filter(([, files]) => files.size > 1).map(([name, files]) => [name, ...files]),
    [],
  );
});
