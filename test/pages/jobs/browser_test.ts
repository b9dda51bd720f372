/** All jobs in a real browser: searched, completed, paged, cancelled in bulk and called off; its looks. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
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
import { seedBusy, seedHostile, submit } from "./seed.ts";

const never = "2999-01-01T00:00:00Z";
const LOOKS = [
  { theme: "light", width: 1440 },
  { theme: "dark", width: 1440 },
  { theme: "light", width: 1000 },
  { theme: "light", width: 390 },
  { theme: "dark", width: 390 },
] as const;

describe("the page of all jobs", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  const visits: Visit[] = [];

  before(async () => {
    box = await boardBox();
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

  async function open(path = "/board/jobs", options: VisitOptions = {}) {
    const opened = await visit(browser, options);
    visits.push(opened);
    await enter(opened.page, base, TOKEN, path);
    return opened;
  }
  const found = (q: string) => `/board/jobs?q=${encodeURIComponent(q)}`;
  const isFitting = async ({ page, complaints }: Visit, what: string) => {
    assert.deepEqual(await axe(page), [], what);
    assert.deepEqual(complaints, [], what);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, `${what} is wider than the screen`);
  };

  test("says of an empty server what would fill it, in every look", async () => {
    for (const look of LOOKS) {
      const opened = await open("/board/jobs", look);
      assert.match((await opened.page.textContent("#job-results"))!, /There are no jobs yet/);
      await isFitting(opened, JSON.stringify(look));
    }
  });

  test("shows jobs of every state, and what was asked as chips that can be taken away", async () => {
    await seedBusy(box);
    for (const look of LOOKS) {
      const opened = await open(found('state:failed error:"no space" -queue:ci'), look);
      const { page } = opened;
      assert.match((await page.textContent("#job-span"))!, /Searched all jobs .*: 3 jobs found/s);
      assert.equal(await page.locator("tr.job").count(), 3);
      await isFitting(opened, JSON.stringify(look));
    }
    const { page } = await open(found("state:failed -queue:images"));
    assert.match((await page.textContent("#job-results"))!, /No job matches/);
    await page.getByRole("link", { name: "Without -queue:images" }).click();
    await page.waitForURL(/q=state%3Afailed$/);
    const row = (await page.locator("tr.job").first().textContent())!.replaceAll(/\s+/g, " ");
    assert.match(row, /Failed resize \w{8} images default on builder-7 \d\d-\d\d .*team=platform/);
    assert.match(row, /no space left on device \(disk 8\) $/);
    await page.locator("tr.job a").first().click();
    await page.waitForURL(/jobs\/[0-9a-f-]{36}$/);
  });

  test("says what is wrong with a search, answers nothing, and keeps what was typed", async () => {
    const opened = await open(found("colour:red state:failed"));
    const { page } = opened;
    assert.match(
      (await page.textContent("[role=alert]"))!,
      /There is no key `colour`; keys are state/,
    );
    assert.equal(await page.inputValue("#job-q"), "colour:red state:failed");
    assert.equal(await page.locator("#job-results").count(), 0);
    await isFitting(opened, "a problem");
  });

  test("the keyboard alone completes a key and its value, and searches", async () => {
    const { page, complaints } = await open();
    const field = page.getByRole("combobox", { name: "Search jobs" });
    const expanded = () => field.getAttribute("aria-expanded");
    await page.keyboard.press("/");
    await page.keyboard.type("-que");
    await page.waitForSelector("#job-q-options [role=option]");
    assert.deepEqual(
      [await expanded(), await field.getAttribute("aria-controls")],
      ["true", "job-q-options"],
    );
    await page.keyboard.press("ArrowDown");
    const active = await field.getAttribute("aria-activedescendant");
    assert.equal(await page.getAttribute(`#${active}`, "aria-selected"), "true");
    assert.deepEqual(await axe(page), []);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#job-q-options [role=option]:has-text('images')");
    assert.equal(await field.inputValue(), "-queue:");
    await page.keyboard.type("im");
    await page.waitForFunction(() => document.querySelectorAll("[role=option]").length === 1);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForFunction(
      () => (document.querySelector("#job-q") as HTMLInputElement).value === "-queue:images ",
    );
    await page.waitForFunction(() => document.querySelectorAll("[role=option]").length > 3);
    await page.keyboard.press("Escape");
    assert.equal(await expanded(), "false");
    assert.ok(await field.evaluate((one) => one === document.activeElement), "focus stays");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=-queue%3Aimages/);
    assert.deepEqual(complaints, []);
  });

  test("turns pages to both sides, and a part of the jobs is never taken for all", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 120; i += 1) ids.push(await submit(box, { name: "paged", run_at: never }));
    const { page } = await open(found("name:paged"), { scripts: false });
    const shown = () =>
      page.$$eval("tr.job", (rows) => rows.map((row) => row.id.replace("job-", "")));
    const newest = ids.toReversed();
    assert.deepEqual(await shown(), newest.slice(0, 50));
    assert.match(
      (await page.textContent("#job-span"))!,
      /Searched jobs created from .* to .*: 50/s,
    );
    await page.getByRole("link", { name: "Older" }).click();
    assert.deepEqual(await shown(), newest.slice(50, 100));
    await submit(box, { name: "paged", run_at: never });
    await page.getByRole("link", { name: "Older" }).click();
    assert.deepEqual(await shown(), newest.slice(100));
    assert.equal(await page.getByRole("link", { name: "Older" }).count(), 0);
    await page.getByRole("link", { name: "Newer" }).click();
    assert.deepEqual(await shown(), newest.slice(50, 100));
    await page.getByRole("link", { name: "Newer" }).click();
    assert.deepEqual((await shown()).slice(0, 3), newest.slice(0, 3));
    await page.getByRole("link", { name: "Newest" }).click();
    assert.deepEqual((await shown()).slice(1, 4), newest.slice(0, 3));
  });

  test("cancels all that match after a preview, by keyboard, and is called off in time", async () => {
    for (let i = 0; i < 7; i += 1)
      await submit(box, { name: "doomed", queue: "bulk", run_at: never });
    const opened = await open(found("name:doomed"));
    const { page } = opened;
    await page.getByRole("button", { name: "Cancel all…" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/bulk\?/);
    assert.match((await page.textContent("#bulk-hits"))!, /^7 jobs that can be cancelled/);
    assert.match((await page.textContent(".bulk-queues"))!.replaceAll(/\s+/g, " "), /bulk 7/);
    await isFitting(opened, "the preview");
    await page.keyboard.type("a mistake");
    await page.keyboard.press("Enter");
    await page.waitForURL(/operations/);
    await page.waitForSelector("text=Begins in");
    await isFitting(opened, "the operation");
    const undo = page.getByRole("button", { name: "Call it off" });
    await undo.focus();
    const seconds = () => page.textContent("#operation-said");
    const first = await seconds();
    await eventually(async () => (await seconds()) !== first, "it counts");
    assert.ok(await undo.evaluate((one) => one === document.activeElement), "focus stays");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=Called off before it began: no job was touched");
    const { json } = await box.call("GET", `${JOBS}?name=doomed&state=queued`);
    assert.equal(json.items.length, 7);
    const [row] = await box.database.reads`
      select reason from audit_log where action = 'jobs.cancel' order by id desc limit 1`;
    assert.equal(row!.reason, "a mistake");
    assert.deepEqual(opened.complaints, []);
  });

  test("cancels ticked rows without scripts, does what it said, and is then too late to undo", async () => {
    for (let i = 0; i < 3; i += 1) await submit(box, { name: "picked", run_at: never });
    const { page } = await open(found("name:picked"), { scripts: false });
    const boxes = page.getByRole("checkbox");
    await boxes.nth(0).check();
    await boxes.nth(2).check();
    await page.getByRole("button", { name: "Cancel ticked…" }).click();
    assert.match((await page.textContent("h1"))!, /Cancel 2 ticked jobs in default/);
    await page.getByRole("button", { name: "Cancel 2 jobs" }).click();
    await page.waitForURL(/operations/);
    const done = async () => {
      await page.reload();
      return /Done\. 2 jobs were cancelled/.test((await page.textContent("#operation"))!);
    };
    await eventually(done, "it is done", { deadlineMs: 30_000 });
    const { json } = await box.call("GET", `${JOBS}?name=picked&state=queued`);
    assert.equal(json.items.length, 1);
    const id = page.url().split("/").at(-1);
    const late = await box.call("POST", `/api/v1/operations/${id}/undo`);
    assert.equal(late.status, 409);
    assert.equal((await box.call("GET", `/api/v1/operations/${id}`)).json.can_undo, false);
  });

  test("asks for one organization where a search is over several", async () => {
    await box.accounts.organizations.create(
      "second",
      { title: null, isPublic: false },
      { name: "admin", user: null, token: null, address: null },
    );
    await box.directory.refresh();
    const { page } = await open("/board/jobs/bulk?do=retry-all&q=");
    assert.match((await page.textContent(".bulk-page"))!, /one organization at a time/);
    await page.getByRole("link", { name: "second" }).click();
    assert.match((await page.textContent("#bulk-hits"))!, /^0 jobs/);
  });

  test("hostile text is text, and stays inside the page, in every look", async () => {
    await seedHostile(box);
    for (const look of LOOKS) {
      const opened = await open("/board/jobs", look);
      await isFitting(opened, JSON.stringify(look));
      const { page } = opened;
      assert.equal(await page.locator("#job-results :is(script, img)").count(), 0);
      const cut = await page.$$eval(".table-wrap", ([one]) => one!.scrollWidth - one!.clientWidth);
      assert.ok(cut <= 0, `the table is cut at ${look.width}`);
    }
    const opened = await open(found('payload:"say \\"hi\\" 100%" error:<script>'));
    assert.equal(await opened.page.locator("tr.job").count(), 1);
    await opened.page.fill("#job-q", "worker:");
    await opened.page.waitForSelector("[role=option]:has-text('<b>www')");
    assert.equal(await opened.page.locator("#job-q-options :is(b, script)").count(), 0);
    assert.deepEqual(opened.complaints, []);
  });

  test("a query of rubbish is a page, not an error", async () => {
    const rubbish = [
      "q=%00%FF%22&cursor=zzz",
      `q=${"-".repeat(4_500)}`,
      `q=${"a*".repeat(1_900)}`,
      "q=created:>9999-12-31+ended:<999999w+priority:<-999999",
      "q=created:<999999w",
      `cursor=${Buffer.from("offffffff-ffff-ffff-ffff-ffffffffffff").toString("base64url")}`,
      `cursor=${Buffer.from("n00000000-0000-0000-0000-000000000000").toString("base64url")}`,
      `cursor=${Buffer.from("o00000000-0000-0000-0000-000000000000").toString("base64url")}`,
      "q=name:%25%5C_*+tag:%5C%22",
      "q=workflow:*+worker:*+org:*",
    ];
    for (const query of rubbish) {
      const response = await box.get(`/board/jobs?${query}`);
      assert.equal(response.status, 200, query);
      const completed = await box.get(`/board/jobs/complete?${query}&at=99999`);
      assert.equal(completed.status, 200, query);
    }
    for (const query of ["", "do=drop-all", "do=cancel-ticked", "do=cancel-ticked&id=x"]) {
      assert.equal((await box.get(`/board/jobs/bulk?${query}`)).status, 422, query);
    }
    assert.equal((await box.get("/board/jobs/operations/x")).status, 404);
    assert.equal((await box.get("/board/jobs?tab=nothing")).status, 404);
  });
});
