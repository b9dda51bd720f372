/**
 * Pictures of every page, to be looked at by people: empty, busy and hostile boards, light and dark, 1440
 * and 390 pixels wide, into `tmp/screenshots/BOARD/PAGE-THEME-WIDTH.png`. Says where the console complains.
 *
 *     bun run screenshots [--board busy] [--page overview,health] [--theme dark] [--width 390] [--out FOLDER]
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import { enter, startBrowser, visit } from "./support/browser.ts";
import { BOARDS, type BoardName, type ShownBoard } from "./support/screenshots/boards.ts";
import { shownPages } from "./support/screenshots/shown_pages.ts";

const { values: asked } = parseArgs({
  options: {
    board: { type: "string", default: Object.keys(BOARDS).join(",") },
    page: { type: "string", default: "" },
    theme: { type: "string", default: "light,dark" },
    width: { type: "string", default: "1440,390" },
    out: { type: "string", default: "tmp/screenshots" },
  },
});
const words = (text: string) => text.split(",").filter((word) => word !== "");
/** Charts are drawn and live parts have arrived. */
const QUIET_MS = 900;

const browser = await startBrowser();
try {
  for (const name of words(asked.board)) {
    const open = BOARDS[name as BoardName];
    if (open === undefined) throw new Error(`--board takes ${Object.keys(BOARDS).join(", ")}`);
    const board = await open();
    try {
      await picture(browser, board, resolve(asked.out, name));
    } finally {
      await board.close();
    }
  }
} finally {
  await browser.close();
}
process.exit(0);

async function picture(browser: Browser, board: ShownBoard, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const only = words(asked.page);
  const pages = [...(await shownPages(board))].filter(
    ([name]) => only.length === 0 || only.some((word) => name.startsWith(word)),
  );
  for (const theme of words(asked.theme) as ("light" | "dark")[]) {
    for (const width of words(asked.width).map(Number)) {
      const { context, page, complaints } = await visit(browser, { theme, width });
      await enter(page, board.url, board.token, "/board/live");
      for (const [name, path] of pages) {
        complaints.length = 0;
        await take(page, board.url + path, join(folder, `${name}-${theme}-${width}.png`));
        const odd = complaints.filter((text) => !(name === "not-found" && /404/.test(text)));
        for (const text of odd) console.log(`${name} ${theme} ${width}: ${text}`);
      }
      await context.close();
    }
  }
  console.log(`${pages.length} pages in ${folder}`);
}

async function take(page: Page, url: string, path: string): Promise<void> {
  await page.goto(url);
  await page.waitForTimeout(QUIET_MS);
  await page.screenshot({ path, fullPage: true });
}
