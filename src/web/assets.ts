/**
 * Static files: read once, served from memory under fingerprinted URLs that never change their
 * content, compressed on first request.
 *
 * The folders `css`, `js` and `vendor` are each joined into one file, so that a page costs three
 * requests while the sources stay one component (or behaviour) a file and nothing needs a build.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, brotliCompressSync, constants, gzipSync } from "node:zlib";

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
  png: "image/png",
  txt: "text/plain; charset=utf-8",
};
const COMPRESSIBLE = new Set(["css", "js", "svg", "txt"]);
/** htmx must run before its extensions. */
const VENDOR_ORDER = ["htmx.min.js", "hx-sse.min.js"];

interface Asset {
  url: string;
  extension: string;
  body: Uint8Array;
  packed: Map<string, Uint8Array>;
}

export interface Assets {
  /** The fingerprinted URL of `app.css`, `app.js`, `vendor.js` or a file below `public/`. */
  url(name: string): string;
  /** The answer to a request below `/public/`, or undefined where there is no such file. */
  answer(request: Request): Response | undefined;
}

/** Reads everything below `root`. Throws where the folder is missing: nothing would look right. */
export function loadAssets(root: string): Assets {
  const byName = new Map<string, Asset>();
  const byUrl = new Map<string, Asset>();
  const add = (name: string, body: Uint8Array) => {
    const dot = name.lastIndexOf(".");
    const extension = name.slice(dot + 1);
    const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
    const url = `/public/${name.slice(0, dot)}-${hash}.${extension}`;
    const asset: Asset = { url, extension, body, packed: new Map() };
    byName.set(name, asset);
    byUrl.set(url, asset);
  };
  const url = (name: string) => {
    const asset = byName.get(name);
    if (!asset) throw new Error(`public/ holds no ${name}`);
    return asset.url;
  };
  for (const folder of ["fonts", "icons"]) {
    for (const file of filesOf(join(root, folder))) {
      add(`${folder}/${file}`, readFileSync(join(root, folder, file)));
    }
  }
  add("app.css", encode(joinStyles(join(root, "css"), url)));
  add("app.js", encode(joinFiles(join(root, "js"), filesOf(join(root, "js")))));
  add("vendor.js", encode(joinFiles(join(root, "vendor"), VENDOR_ORDER)));
  add("charts.js", readFileSync(join(root, "vendor/echarts.min.js")));
  // The largest, by far: packed as tightly as can be, beside everything else.
  void packTightly(byName.get("charts.js")!);
  return { url, answer: (request) => answer(byUrl.get(new URL(request.url).pathname), request) };
}

function answer(asset: Asset | undefined, request: Request): Response | undefined {
  if (!asset) return undefined;
  const headers = new Headers({
    "content-type": TYPES[asset.extension] ?? "application/octet-stream",
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
  });
  const encoding = COMPRESSIBLE.has(asset.extension)
    ? chooseEncoding(request.headers.get("accept-encoding") ?? "")
    : undefined;
  if (encoding) headers.set("content-encoding", encoding);
  const body = encoding ? pack(asset, encoding) : asset.body;
  return new Response(request.method === "HEAD" ? null : (body as BodyInit), { headers });
}

function chooseEncoding(accepted: string): "br" | "gzip" | undefined {
  if (/\bbr\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(accepted)) return "br";
  if (/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(accepted)) return "gzip";
  return undefined;
}

function pack(asset: Asset, encoding: "br" | "gzip"): Uint8Array {
  let packed = asset.packed.get(encoding);
  if (!packed) {
    packed =
      encoding === "br"
        ? brotliCompressSync(asset.body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
        : gzipSync(asset.body, { level: 9 });
    asset.packed.set(encoding, packed);
  }
  return packed;
}

/** Takes a second: until then whoever asks gets it packed as others are. */
async function packTightly(asset: Asset): Promise<void> {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  asset.packed.set("br", await promisify(brotliCompress)(asset.body, quality));
}

// Joining

/** Style sheets refer to `url(/fonts/…)` and `url(/icons/…)`; those become fingerprinted. */
function joinStyles(folder: string, url: (name: string) => string): string {
  return joinFiles(folder, filesOf(folder)).replace(
    /url\("?\/((?:fonts|icons)\/[^")]+)"?\)/g,
    (_, name: string) => `url("${url(name)}")`,
  );
}

function joinFiles(folder: string, files: readonly string[]): string {
  return files.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
}

function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => /\.(css|js|svg|woff2|png|txt)$/.test(file))
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort();
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\n`);
}
