/** The audit log in a real browser: what it shows, its filters and pages, hostile text, keyboard, looks. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { type AuditEntry, writeAudit } from "../../../src/db/statements/audit.ts";
import { JOBS, TOKEN } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import {
  axe,
  enter,
  startBrowser,
  type Visit,
  type VisitOptions,
  visit,
} from "../../support/browser.ts";
import { eventually } from "../../support/eventually.ts";

const ada = { name: "Ada", user: "person-ada", token: null, address: "192.0.2.7" };
const ci = { name: "deploy", user: "person-ada", token: "token-1", address: "2001:db8::1" };
const LOOKS = [
  { theme: "light", width: 1440 },
  { theme: "dark", width: 1440 },
  { theme: "light", width: 1000 },
  { theme: "light", width: 390 },
  { theme: "dark", width: 390 },
] as const;

describe("the audit log's page", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  const visits: Visit[] = [];

  before(async () => {
    box = await boardBox({ alone: true });
    base = await box.serve();
    browser = await startBrowser();
  });
  afterEach(async () => {
    for (const { context } of visits.splice(0)) await context.close();
  });
  after(async () => {
    await browser.close();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function open(path = "/board/audit", options: VisitOptions = {}) {
    const opened = await visit(browser, options);
    visits.push(opened);
    await enter(opened.page, base, TOKEN, path);
    return opened;
  }
  const write = (...entries: Partial<AuditEntry>[]) =>
    writeAudit(
      box.database.intake,
      entries.map((entry) => ({
        ...{ org: 1, author: ada, action: "queue.pause", objectKind: "queue", objectId: "q" },
        ...entry,
      })),
    );
  const isFitting = async ({ page, complaints }: Visit, what: string) => {
    assert.deepEqual(await axe(page), [], what);
    assert.deepEqual(complaints, [], what);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, `${what} is wider than the screen`);
  };

  test("an empty log says what would fill it, in every look", async () => {
    for (const look of LOOKS) {
      const opened = await open("/board/audit", look);
      assert.match(
        (await opened.page.textContent("#audit-log"))!,
        /Nobody has changed anything yet/,
      );
      await isFitting(opened, JSON.stringify(look));
    }
  });

  test("a change says who, from where, what, to what, why, and how it was", async () => {
    const { json } = await box.call("POST", JOBS, { name: "resize", kind: "handler" });
    await box.engine.cancelJob(json.id, ci, "not needed");
    const { page } = await open();
    const row = page.locator("tbody tr").first();
    const text = (await row.textContent())!.replaceAll(/\s+/g, " ");
    assert.match(text, /^ ?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d deploy token 2001:db8::1 job\.cancel/);
    assert.match(text, /state ready → cancelled/);
    assert.match(text, /Reason not needed Affected 1 $/);
    await row.getByRole("link").click();
    await page.waitForURL(`${base}/board/jobs/${json.id}`);
    const changes = (await page.textContent("#job-changes"))!.replaceAll(/\s+/g, " ");
    assert.match(changes, /Changes by people/i);
    assert.match(changes, /Cancel by deploy .*not needed state ready → cancelled/);
    assert.doesNotMatch(await page.content(), /2001:db8::1/);
    // A further change comes by itself.
    await box.engine.retryJob(json.id, ada, "on second thoughts");
    const live = async () => /Retry by Ada/.test((await page.textContent("#job-changes"))!);
    await eventually(live, "the retry appears", { deadlineMs: 20_000 });
    assert.deepEqual(await axe(page), []);
  });

  test("filters work without scripts, stand in the address, and the exports follow them", async () => {
    await write(
      { objectKind: "filter", objectId: "one", author: ci },
      { objectKind: "filter", objectId: "two", action: "queue.resume" },
    );
    const { page } = await open("/board/audit", { scripts: false });
    await page.fill('[name="object_kind"]', "filter");
    await page.fill('[name="actor"]', "DEPLOY");
    await page.click("text=Apply");
    await page.waitForURL(/actor=DEPLOY/);
    assert.equal(await page.locator("tbody tr").count(), 1);
    assert.match((await page.textContent("tbody"))!, /one/);
    assert.equal(await page.inputValue('[name="actor"]'), "DEPLOY");
    const href = await page.getByRole("link", { name: "NDJSON" }).getAttribute("href");
    const { text } = await box.call("GET", href!);
    assert.deepEqual(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).object_id),
      ["one"],
    );
    const csv = await page.getByRole("link", { name: "CSV" }).getAttribute("href");
    assert.match((await box.call("GET", csv!)).text, /^id,at,.*\r\n\d+,.*,one,.*\r\n$/);
    await page.fill('[name="to"]', "2020-01-01T10:00");
    await page.click("text=Apply");
    await page.waitForURL(/to=2020/);
    assert.match((await page.textContent("#audit-log"))!, /No change passes these filters/);
    assert.equal(await page.inputValue('[name="to"]'), "2020-01-01T10:00");
    const dated = await page.getByRole("link", { name: "CSV" }).getAttribute("href");
    assert.equal((await box.call("GET", dated!)).status, 200);
    await page.click("text=Clear");
    await page.waitForURL(`${base}/board/audit`);
    await page.goto(`${base}/board/audit?from=yesterday`);
    assert.match((await page.textContent("[role=alert]"))!, /“yesterday” is no time/);
  });

  test("older pages follow, and lead back", async () => {
    const names = Array.from({ length: 130 }, (_, i) => `old-${i}`);
    await write(...names.map((objectId) => ({ objectKind: "paged", objectId })));
    const { page } = await open("/board/audit?object_kind=paged");
    const shown = async () => page.locator("tbody .c-object a").allTextContents();
    assert.deepEqual(await shown(), names.toReversed().slice(0, 100));
    await page.getByRole("link", { name: "Older" }).click();
    await page.waitForURL(/before=/);
    assert.deepEqual(await shown(), names.toReversed().slice(100));
    assert.equal(await page.getByRole("link", { name: "Older" }).count(), 0);
    await page.getByRole("link", { name: "Newest" }).click();
    await page.waitForURL((url) => !url.searchParams.has("before"));
    assert.equal((await shown()).length, 100);
  });

  test("hostile text is text, and stays inside the page, in every look", async () => {
    const long = "x".repeat(400);
    await write(
      {
        author: { name: `<script>alert(1)</script>${long}`, user: null, token: "t", address: long },
        ...{ action: `a.${long}`, objectKind: long, objectId: `"><script>alert(2)</script>` },
        ...{ reason: `<img src=x onerror=alert(3)>${long}`, affected: 123456789 },
        ...{ before: { [long]: long }, after: { [long]: `${long}!`, html: "</ul><script>" } },
      },
      {
        author: { ...ada, name: "\u202Eנועה" },
        reason: "سبب \u202E dne",
        objectId: "\u202Ecod.exe",
      },
      { org: null, after: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, i])) },
      { before: [1, 2], after: "text", objectKind: "job", objectId: "javascript:alert(1)" },
    );
    for (const look of LOOKS) {
      const opened = await open("/board/audit", look);
      await isFitting(opened, JSON.stringify(look));
      const { page } = opened;
      assert.equal(await page.locator("#audit-log :is(script, img)").count(), 0);
      assert.match((await page.textContent("tbody"))!, /<img src=x onerror=alert\(3\)>/);
      assert.match((await page.textContent("tbody"))!, /and 28 more fields/);
      const hrefs = await page.$$eval("tbody a", (links) =>
        links.map((a) => a.getAttribute("href")!),
      );
      assert.ok(hrefs.every((href) => /^\/board\/(audit\?|jobs\/[0-9a-f-]{36}$)/.test(href)));
      const overflow = await page.$$eval(
        ".table-wrap",
        ([box]) => box!.scrollWidth - box!.clientWidth,
      );
      assert.ok(overflow <= 0, `the table is cut at ${look.width}`);
    }
  });

  test("a query of rubbish is a page, not an error", async () => {
    for (const query of [
      "before=abc&from=%00&to=9999999",
      "object_kind=%00&object_id=%EF%BF%BF&actor=%25_%5C",
      "before=99999999999999999999",
      `actor=${"y".repeat(5000)}`,
    ]) {
      const response = await box.get(`/board/audit?${query}`);
      assert.equal(response.status, 200, query);
    }
    assert.equal((await box.get("/board/audit?org=nowhere")).status, 404);
  });

  test("the keyboard alone filters, opens a timeline and pages", async () => {
    await write({ objectKind: "keys", objectId: "door", author: ci });
    const { page } = await open();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("name") ?? "");
    await page.keyboard.press("/");
    assert.equal(await focused(), "actor");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "object_kind");
    await page.keyboard.type("keys");
    await page.keyboard.press("Enter");
    await page.waitForURL(/object_kind=keys/);
    assert.equal(await page.locator("tbody tr").count(), 1);
    const reached = async () =>
      page.evaluate(() => document.activeElement?.textContent?.trim() === "door");
    for (let i = 0; i < 60 && !(await reached()); i++) await page.keyboard.press("Tab");
    assert.ok(await reached(), "the object's link is reached by Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(/object_id=door/);
    assert.equal(await page.locator("tbody tr").count(), 1);
  });
});
