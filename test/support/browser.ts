/**
 * A real browser for tests: the Chromium that the npm package `@sparticuz/chromium` carries, driven by
 * playwright-core. Nothing is downloaded and nothing need be installed: the package brings the
 * few libraries and the font that a bare Linux lacks.
 *
 * It is unpacked once (2 s), into a folder of its own that is then renamed, so that two test processes that start at
 * once cannot see half of it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const require = createRequire(import.meta.url);

/** The folder that holds `chromium` and what it needs. */
function unpackedFolder(): string {
  const manifest = join(dirname(require.resolve("@sparticuz/chromium")), "..", "package.json");
  const { version } = require(manifest) as { version: string };
  const folder = join(ROOT, "node_modules", ".cache", `chromium-${version}`);
  if (existsSync(join(folder, "chromium"))) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const making = mkdtempSync(`${folder}-`);
  // The package unpacks into the temporary folder, which only a process of its own can choose.
  const script = join(ROOT, "test", "support", "unpack_chromium.mjs");
  const done = spawnSync(process.execPath, [script], {
    env: { ...process.env, TMPDIR: making },
    encoding: "utf8",
  });
  if (done.status !== 0) throw new Error(`Chromium could not be unpacked: ${done.stderr}`);
  writeFileSync(join(making, "fonts.conf"), fontConfig(folder));
  try {
    renameSync(making, folder);
  } catch {
    // Another process was first.
    rmSync(making, { recursive: true, force: true });
  }
  return folder;
}

/** The machine's fonts where it has some, and the carried one. */
function fontConfig(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts</dir>
<dir>${folder}/fonts/fonts</dir>
<cachedir>${folder}/font-cache</cachedir>
</fontconfig>
`;
}

/** Started once a test process; close it in `after`. */
export async function startBrowser(): Promise<Browser> {
  const folder = unpackedFolder();
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    env: {
      ...process.env,
      FONTCONFIG_FILE: join(folder, "fonts.conf"),
      LD_LIBRARY_PATH: join(folder, "al2023", "lib"),
    },
    args: [
      "--no-sandbox",
      "--no-zygote",
      "--headless=shell",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--font-render-hinting=none",
    ],
  });
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console, uncaught errors, and answers of 400 and above. */
  complaints: string[];
}

export interface VisitOptions {
  theme?: "light" | "dark";
  width?: number;
  height?: number;
  scripts?: boolean;
}

/** A fresh profile with one page that collects what a developer would see as an error. */
export async function visit(browser: Browser, options: VisitOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.theme ?? "light",
    javaScriptEnabled: options.scripts ?? true,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("response", (answer) => {
    if (answer.status() >= 400) complaints.push(`${answer.status()} ${answer.url()}`);
  });
  return { context, page, complaints };
}

/** Signs in through the form and lands on `path`. */
export async function enter(page: Page, base: string, token: string, path: string): Promise<void> {
  await page.goto(`${base}/sign-in?next=${encodeURIComponent(path)}`);
  // Where people have accounts, tokens stand behind a summary.
  if (!(await page.isVisible("#token"))) await page.click("details:has(#token) > summary");
  await page.fill("#token", token);
  await page.click("form:has(#token) button");
  await page.waitForURL(`${base}${path}`);
}

/** What axe finds wrong on the page, one line each; empty is good. */
export async function axe(page: Page): Promise<string[]> {
  const source = require.resolve("axe-core/axe.min.js");
  // Evaluated through the debugger, so that the page's own policy need not allow it.
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(source, "utf8"));
  const violations = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run(): Promise<AxeResult> } }).axe.run();
    return (await run).violations;
  });
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${violation.help}: ${node.html.slice(0, 200)}`),
  );
}

interface AxeResult {
  violations: { id: string; help: string; nodes: { html: string }[] }[];
}
