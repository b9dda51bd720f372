/** Accounts in a real browser: looks, axe, hostile names, keyboard alone. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ADMIN, browse, OWN, PASSWORD, somebody } from "../../support/accounts/people.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { axe, startBrowser, type Visit, type VisitOptions, visit } from "../../support/browser.ts";
import { press, reach } from "../../support/pages/keyboard.ts";

const LOOKS = [
  { theme: "light", width: 1280 },
  { theme: "dark", width: 1280 },
  { theme: "light", width: 390 },
  { theme: "dark", width: 390 },
] as const;
const EVIL = `<script>pwned=1</script><img src=x onerror="pwned=1">"'\u202e`;
const BY = { author: ADMIN, role: "owner" as const, person: null, isToken: false };

describe("the pages of accounts", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  let acme: { id: number; name: string };
  const visits: Visit[] = [];

  before(async () => {
    box = await boardBox();
    base = await box.serve();
    browser = await startBrowser();
    const settings = { title: EVIL, isPublic: false };
    acme = { id: await box.accounts.organizations.create("acme", settings, ADMIN), name: "acme" };
    await box.directory.refresh();
  });
  afterEach(async () => {
    for (const { context } of visits.splice(0)) await context.close();
  });
  after(async () => {
    await browser.close();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function open(path: string, cookie: string | null, options: VisitOptions = {}) {
    const opened = await visit(browser, options);
    visits.push(opened);
    const [name, value] = cookie?.split("=") ?? [];
    if (name && value) await opened.context.addCookies([{ name, value, url: base }]);
    await opened.page.goto(base + path);
    return opened;
  }

  async function isSound({ page, complaints }: Visit, what: string): Promise<void> {
    assert.deepEqual(await axe(page), [], what);
    assert.deepEqual(complaints, [], what);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, `${what} is wider than the screen`);
    const ran = await page.evaluate(() => "pwned" in window);
    assert.equal(ran, false, `${what} ran a script of somebody's`);
  }

  /** An organization in which everything has a name that somebody hostile gave it. */
  async function hostile() {
    const owner = await somebody(box, { name: EVIL, roles: { [acme.id]: "owner" } });
    await somebody(box, { name: "W".repeat(100), roles: { [acme.id]: "viewer" } });
    for (const what of ["tokens", "worker-tokens"]) {
      await owner.post(`/board/orgs/acme/${what}`, { name: EVIL, role: "viewer" });
    }
    const wanted = { role: "viewer" as const, email: null };
    const { secret } = await box.accounts.invitations.create(acme, wanted, BY);
    return { owner, link: `/invitations/${secret}` };
  }

  test("fit every look, bear hostile names, and please axe", async () => {
    const { owner, link } = await hostile();
    const chief = await somebody(box, { name: EVIL, isSuperuser: true });
    const admin = (await box.authentication.admin.open(false)).split(";")[0]!;
    const pages = [
      ["/sign-in", null],
      ["/sign-in?error=account_not_linked", null],
      [link, null],
      [link, owner.cookie],
      ["/board/orgs", chief.cookie],
      ["/board/orgs/acme", owner.cookie],
      ["/board/people", chief.cookie],
      ["/board/account", owner.cookie],
      ["/board/account", admin],
      ["/board/audit", chief.cookie],
    ] as const;
    for (const look of LOOKS) {
      for (const [path, cookie] of pages) {
        const opened = await open(path, cookie, look);
        await isSound(opened, `${path} ${JSON.stringify(look)}`);
        await opened.context.close();
      }
    }
    visits.length = 0;
  });

  test("make the first account, in every look of the form", async () => {
    const fresh = await boardBox();
    try {
      const address = await fresh.serve();
      for (const look of LOOKS) {
        const opened = await visit(browser, look);
        visits.push(opened);
        await opened.page.goto(address + fresh.auth.createSignInLink());
        assert.match(opened.page.url(), /\/set-up/);
        await isSound(opened, JSON.stringify(look));
      }
      const { page } = visits.at(-1)!;
      await page.fill("#name", "Ada");
      await page.fill("#email", "ada@example.org");
      await page.fill("#password", PASSWORD);
      await page.click("text=Make the account");
      await page.waitForURL(/\/board$/);
      assert.match((await page.textContent(".who"))!, /Ada/);
    } finally {
      await fresh.close();
    }
  });

  test("are used by keyboard alone: signing in, inviting, signing out", async () => {
    const owner = await somebody(box, { roles: { [acme.id]: "owner" } });
    const { page } = await open("/sign-in?next=/board/orgs/acme", null);
    await page.waitForSelector("#email:focus");
    await page.keyboard.type(owner.person.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${base}/board/orgs/acme`);
    await reach(page, 'form[action$="/invitations"] select');
    await page.keyboard.type("viewer");
    await press(page, 'form[action$="/invitations"] button');
    await page.waitForSelector("#made");
    // The whole address, since it is passed on.
    const link = (await page.textContent("#made code"))!;
    assert.match(link.replace(base, ""), /^\/invitations\/[\w-]{43}$/);
    await press(page, "#made [data-copy]");
    await page.waitForSelector("#made >> text=Copied");
    await press(page, 'form[action="/sign-out"] button');
    await page.waitForURL(`${base}/sign-in`);
  });

  test("work without scripts", async () => {
    const owner = await somebody(box, { roles: { [acme.id]: "owner" } });
    const { page } = await open("/board/orgs/acme", owner.cookie, { scripts: false });
    await page.fill('form[action$="/tokens"] [name="name"]', "plain");
    await page.click("text=Make a token");
    assert.match((await page.textContent("#made"))!, /sbx_[\w-]{43}/);
    await page.click("text=Make a link");
    assert.ok((await page.textContent("#made"))!.includes(`${base}/invitations/`));
  });

  test("leave nothing of a made secret behind", async () => {
    const owner = await somebody(box, { roles: { [acme.id]: "owner" } });
    const made = await owner.post("/board/orgs/acme/tokens", { name: "once", role: "viewer" });
    const secret = /sbx_[\w-]{43}/.exec(await made.text())![0];
    assert.equal(made.headers.get("cache-control"), "no-store");
    const later = await (await owner.get("/board/orgs/acme")).text();
    assert.ok(!later.includes(secret));
    const rows = await box.database.reads`select * from audit_log`;
    assert.ok(!JSON.stringify(rows).includes(secret));
  });

  test("take no form from another site, and put no header of somebody's into an answer", async () => {
    const owner = await somebody(box, { roles: { [acme.id]: "owner" } });
    const foreign = { cookie: owner.cookie, "sec-fetch-site": "cross-site" };
    const paths = ["settings", "invitations", "tokens", "worker-tokens"];
    for (const path of paths) {
      const body = new URLSearchParams({ name: "x", role: "viewer", title: "taken" });
      const init = { method: "POST", headers: foreign, body };
      const answer = await box.fetch(new Request(`${base}/board/orgs/acme/${path}`, init));
      assert.equal(answer.status, 401, path);
    }
    const { email } = owner.person;
    const next = "/board/live\r\nset-cookie: a=b";
    const form = new URLSearchParams({ email, password: PASSWORD, next });
    const init = { method: "POST", headers: OWN, body: form };
    const entered = await box.fetch(new Request(`${base}/sign-in`, init));
    assert.ok(!entered.headers.getSetCookie().some((cookie) => cookie.startsWith("a=")));
    assert.match(entered.headers.get("location")!, /^\/board(\/|$)/);
    assert.ok((await browse(box, email)).cookie);
  });
});
