/** A board with a browser, for tests of its forms: opened by the admin or by somebody with a role. */
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import type { Browsing } from "../accounts/people.ts";
import { TOKEN } from "../api_box.ts";
import { type BoardBox, type BoardBoxOptions, boardBox } from "../board_box.ts";
import { axe, enter, startBrowser, type Visit, type VisitOptions, visit } from "../browser.ts";

const LOOKS = (["light", "dark"] as const).flatMap((theme) =>
  [1440, 390].map((width) => ({ theme, width })),
);

export class FormBox {
  readonly box: BoardBox;
  readonly base: string;
  readonly #browser: Browser;
  readonly #visits: Visit[] = [];

  private constructor(box: BoardBox, base: string, browser: Browser) {
    this.box = box;
    this.base = base;
    this.#browser = browser;
  }

  static async start(options: BoardBoxOptions = {}): Promise<FormBox> {
    const box = await boardBox(options);
    return new FormBox(box, await box.serve(), await startBrowser());
  }

  /** As the admin, who may everything. */
  async open(path: string, options: VisitOptions = {}): Promise<Visit> {
    const opened = await visit(this.#browser, options);
    this.#visits.push(opened);
    await enter(opened.page, this.base, TOKEN, path);
    return opened;
  }

  async openAs({ cookie }: Browsing, path: string): Promise<Page> {
    const { context, page } = await visit(this.#browser);
    this.#visits.push({ context, page, complaints: [] });
    const cookies = cookie.split("; ").map((one) => {
      const [name, value] = one.split("=") as [string, string];
      return { name, value, url: this.base };
    });
    await context.addCookies(cookies);
    await page.goto(this.base + path);
    return page;
  }

  /** In order for everybody: by contrast, names and roles, and no wider than the screen. */
  async isFitting(paths: readonly string[]): Promise<void> {
    for (const look of LOOKS) {
      const { page, complaints, context } = await this.open(paths[0]!, look);
      for (const path of paths) {
        const what = `${path} ${JSON.stringify(look)}`;
        await page.goto(this.base + path);
        assert.deepEqual(await axe(page), [], what);
        const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(isWide, false, `${what} is wider than the screen`);
      }
      assert.deepEqual(complaints, [], JSON.stringify(look));
      await context.close();
    }
  }

  /** Actions of the audit log about things of this kind, oldest first, with reasons. */
  async audited(kind: string): Promise<string[]> {
    const rows = await this.box.database.intake<{ action: string; reason: string | null }[]>`
      select action, reason from audit_log where object_kind = ${kind} order by id`;
    return rows.map(({ action, reason }) => (reason === null ? action : `${action}: ${reason}`));
  }

  /** Between tests. */
  async leave(): Promise<void> {
    for (const { context } of this.#visits.splice(0)) await context.close();
  }

  async close(): Promise<void> {
    await this.#browser.close();
    assert.deepEqual(this.box.troubles, []);
    await this.box.close();
  }
}

/** The field that came back wrong: it has the focus, and its sentence is its description. */
export async function isWrong(page: Page, id: string, sentence: RegExp): Promise<void> {
  const field = page.locator(`#${id}`);
  assert.equal(await field.getAttribute("aria-invalid"), "true", id);
  assert.equal(await field.evaluate((element) => element === document.activeElement), true, id);
  const described = ((await field.getAttribute("aria-describedby")) ?? "").split(" ");
  assert.ok(described.includes(`${id}-problem`), described.join());
  assert.match((await page.textContent(`#${id}-problem`))!, sentence);
  assert.notEqual((await page.textContent("#problem"))!.trim(), "");
}

/** What a form with these fields is answered, sent past the page. */
export async function posted(
  who: Browsing,
  path: string,
  fields: Record<string, string> = {},
): Promise<number> {
  const answer = await who.post(path, fields);
  await answer.body?.cancel();
  return answer.status;
}
