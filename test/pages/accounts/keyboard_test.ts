/** What people do with accounts, by keyboard alone, from the first start to the last sign-out. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { PASSWORD } from "../../support/accounts/people.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { startBrowser, type Visit, visit } from "../../support/browser.ts";
import { press, reach, type } from "../../support/pages/keyboard.ts";

describe("by keyboard alone", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  let ada: Visit;
  let link: string;

  before(async () => {
    box = await boardBox();
    base = await box.serve();
    browser = await startBrowser();
    ada = await visit(browser);
  });
  after(async () => {
    await browser.close();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  const to = (page: Page, path: string) => page.waitForURL(base + path);
  async function follow(page: Page, path: string): Promise<void> {
    await press(page, `a[href="${path}"]`);
    await to(page, path);
  }

  test("the first account is made", async () => {
    const { page } = ada;
    await page.goto(base + box.auth.createSignInLink());
    // The first field has the focus.
    await page.waitForSelector("#name:focus");
    await page.keyboard.type("Ada");
    await type(page, "#email", "ada@example.org");
    await type(page, "#password", PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/board$/);
  });

  test("an organization is made, titled and opened", async () => {
    const { page } = ada;
    await follow(page, "/board/orgs");
    await type(page, "#name", "acme");
    await type(page, "#title", "Acme");
    await page.keyboard.press("Enter");
    await to(page, "/board/orgs/acme");
    await reach(page, '[name="public"]');
    await page.keyboard.press("Space");
    await press(page, 'form[action$="/settings"] button');
    await page.waitForSelector("text=public");
  });

  test("somebody is invited", async () => {
    const { page } = ada;
    await reach(page, 'form[action$="/invitations"] select');
    await page.keyboard.type("viewer");
    await press(page, 'form[action$="/invitations"] button');
    await page.waitForSelector("#made");
    link = /\/invitations\/[\w-]{43}/.exec((await page.textContent("#made"))!)![0];
  });

  test("tokens are made and revoked", async () => {
    const { page } = ada;
    for (const what of ["tokens", "worker-tokens"]) {
      await type(page, `form[action$="/acme/${what}"] [name="name"]`, `by keys`);
      await page.keyboard.press("Enter");
      await page.waitForSelector("#made");
      await follow(page, "/board/orgs");
      await follow(page, "/board/orgs/acme");
      await press(page, `form[action*="/${what}/"] button`);
      await page.waitForSelector(`form[action*="/${what}/"]`, { state: "detached" });
    }
  });

  test("an invitation is accepted, and its member's role changed", async () => {
    const { page, context } = await visit(browser);
    await page.goto(base + link);
    await type(page, "#name", "Grace");
    await type(page, "#email", "grace@example.org");
    await type(page, "#password", PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/board$/);
    await follow(page, "/board/orgs");
    await follow(page, "/board/orgs/acme");
    await page.waitForSelector("text=You are a viewer here");
    await ada.page.goto(`${base}/board/orgs/acme`);
    await reach(ada.page, 'select[aria-label="Role of Grace"]');
    await ada.page.keyboard.type("operator");
    await ada.page.keyboard.press("Tab");
    await ada.page.keyboard.press("Enter");
    const set = 'select[aria-label="Role of Grace"] option[selected]:text("operator")';
    await ada.page.waitForSelector(set, { state: "attached" });
    await page.reload();
    await page.waitForSelector("text=You are an operator here");
    await context.close();
  });

  test("an account is made, raised, and removed after asking", async () => {
    const { page } = ada;
    await follow(page, "/board/people");
    await type(page, "#name", "Edsger");
    await type(page, "#email", "edsger@example.org");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#made-password");
    await press(page, '[aria-label="Make superuser: Edsger"]');
    await page.waitForSelector('[aria-label="Make ordinary: Edsger"]');
    await press(page, '[aria-label="Remove Edsger"]');
    await press(page, '.confirm:popover-open [popovertargetaction="hide"]');
    await press(page, '[aria-label="Remove Edsger"]');
    await press(page, ".confirm:popover-open .primary");
    await page.waitForSelector("text=Edsger", { state: "detached" });
  });

  test("a password is changed, and another browser's session ended", async () => {
    const other = await visit(browser);
    await other.page.goto(`${base}/sign-in`);
    await other.page.waitForSelector("#email:focus");
    await other.page.keyboard.type("ada@example.org");
    await type(other.page, "#password", PASSWORD);
    await other.page.keyboard.press("Enter");
    await to(other.page, "/board");
    const { page } = ada;
    await follow(page, "/board/account");
    await press(page, "#sessions button");
    await page.waitForSelector("#sessions button", { state: "detached" });
    await other.page.reload();
    await other.page.waitForURL(/\/sign-in/);
    await type(page, "#current", PASSWORD);
    await type(page, "#next", `${PASSWORD} anew`);
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=Your password is changed");
    await other.context.close();
  });

  test("what was done is read in the audit log, and the board left", async () => {
    const { page } = ada;
    await follow(page, "/board/audit");
    const text = await page.textContent("#audit-log");
    for (const action of ["org.create", "token.revoke", "member.change", "person.remove"]) {
      assert.match(text!, new RegExp(action.replace(".", "\\.")));
    }
    await press(page, 'form[action="/sign-out"] button');
    await to(page, "/sign-in");
    assert.deepEqual(ada.complaints, []);
  });
});
