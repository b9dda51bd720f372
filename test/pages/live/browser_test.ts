/** The live page in a real browser; jobs are moved by hand, so that each phase can be looked at. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Assignment } from "../../../src/messages/frames.ts";
import { type HandWorker, JOBS, TOKEN } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import {
  axe,
  enter,
  startBrowser,
  type Visit,
  type VisitOptions,
  visit,
} from "../../support/browser.ts";
import { cutProxy } from "../../support/cut_proxy.ts";
import { eventually } from "../../support/eventually.ts";

const LONG = { deadlineMs: 20_000 };

describe("the live page", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  let worker: HandWorker;
  const visits: Visit[] = [];
  let heart: ReturnType<typeof setInterval>;

  before(async () => {
    box = await boardBox({ alone: true });
    base = await box.serve();
    browser = await startBrowser();
    worker = await box.worker({ name: "ada", concurrency: 50, handlers: ["resize", "digest"] });
    heart = setInterval(() => worker.session.handle({ type: "heartbeat" }), 5_000);
  });
  afterEach(async () => {
    for (const { context } of visits.splice(0)) await context.close();
  });
  after(async () => {
    clearInterval(heart);
    await browser.close();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function open(path = "/board/live", options: VisitOptions = {}, address = base) {
    const opened = await visit(browser, options);
    visits.push(opened);
    await enter(opened.page, address, TOKEN, path);
    if (options.scripts !== false) await pill(opened.page, /^Live$/);
    return opened;
  }
  const pill = (page: Page, text: RegExp) =>
    eventually(
      async () => text.test((await page.textContent("#live-pill"))!.trim()),
      String(text),
      LONG,
    );
  async function submit(name: string, more: object = {}): Promise<string> {
    const { json, status } = await box.call("POST", JOBS, { name, kind: "handler", ...more });
    assert.equal(status, 201);
    return json.id;
  }
  const rowOf = (page: Page, id: string) => page.locator(`#job-${id}`);
  const stateOf = (page: Page, id: string) =>
    eventually(
      async () => (await rowOf(page, id).locator(".state").textContent({ timeout: 500 }))!.trim(),
      id,
      LONG,
    );
  const shows = (page: Page, id: string, state: string) =>
    eventually(async () => (await stateOf(page, id)) === state, `${id} shows ${state}`, LONG);
  const gone = (page: Page, id: string) =>
    eventually(async () => (await rowOf(page, id).count()) === 0, `${id} has left`, LONG);
  const ref = ({ job, attempt, token }: Assignment) => ({ job, attempt, token });
  function finish(lease: Assignment): void {
    const report = { ...ref(lease), outcome: "succeeded" as const, run_ms: 12 };
    worker.session.handle({ type: "finished", jobs: [report] });
  }

  test("a row appears, changes phase and leaves", async () => {
    const { page, complaints } = await open();
    const id = await submit("resize", { queue: "images", priority: 5 });
    const lease = await worker.take(id);
    await shows(page, id, "Dispatched");
    worker.session.handle({ type: "started", jobs: [ref(lease)] });
    await shows(page, id, "Running");
    assert.match((await rowOf(page, id).textContent())!, /resize.*default.*images.*ada.*\+5/s);
    const count = () => page.textContent("#count-running");
    await eventually(async () => (await count()) === "1", "the count follows", LONG);
    finish(lease);
    await shows(page, id, "Succeeded");
    assert.match((await rowOf(page, id).textContent())!, /12 ms/);
    await gone(page, id);
    assert.deepEqual(complaints, []);
  });

  test("filters stand in the URL, and the stream keeps to them", async () => {
    const { page, complaints } = await open();
    const before = await submit("digest", { queue: "mail", requirements: { pool: "none" } });
    const hidden = await submit("resize", { queue: "images", requirements: { pool: "none" } });
    await shows(page, before, "Ready");
    await page.fill("#filter-q", "MAIL");
    await eventually(() => page.url().endsWith("/board/live?q=mail"), "the URL says it", LONG);
    await gone(page, hidden);
    await pill(page, /^Live$/);
    const later = await submit("digest", { queue: "mail", requirements: { pool: "none" } });
    const other = await submit("resize", { queue: "images", requirements: { pool: "none" } });
    await shows(page, later, "Ready");
    assert.equal(await rowOf(page, other).count(), 0);
    await page.reload();
    assert.equal(await page.inputValue("#filter-q"), "mail");
    await shows(page, later, "Ready");
    assert.equal(await rowOf(page, other).count(), 0);
    await page.click("[data-clears]");
    await shows(page, other, "Ready");
    assert.equal(new URL(page.url()).search, "");
    await page.click('label:has(input[value="running"])');
    await eventually(() => page.url().endsWith("?state=running"), "the state is in the URL", LONG);
    await gone(page, later);
    for (const id of [before, hidden, later, other])
      await box.call("POST", `/api/v1/jobs/${id}/cancel`, {});
    assert.deepEqual(complaints, []);
  });

  test("nothing is lost across a dropped connection", async () => {
    const proxy = await cutProxy(base);
    try {
      const { page } = await open("/board/live", {}, proxy.url);
      const runs = await submit("resize");
      const ends = await submit("resize");
      const leases = [await worker.take(runs), await worker.take(ends)];
      worker.session.handle({ type: "started", jobs: leases.map(ref) });
      await shows(page, runs, "Running");
      await shows(page, ends, "Running");
      proxy.cut();
      await pill(page, /^(Reconnecting|Stale since)/);
      finish(leases[1]!);
      const born = await submit("digest", { requirements: { pool: "none" } });
      const begins = await submit("resize");
      worker.session.handle({ type: "started", jobs: [ref(await worker.take(begins))] });
      await box.reaches(ends, "succeeded");
      await box.reaches(begins, "running");
      await pill(page, /^Stale since \d{1,2}:\d\d:\d\d/);
      assert.equal(await stateOf(page, ends), "Running");
      proxy.mend();
      await pill(page, /^Live$/);
      await shows(page, born, "Ready");
      await shows(page, begins, "Running");
      await gone(page, ends);
      const { json } = await box.call("GET", `${JOBS}?state=running&state=ready&state=queued`);
      const wanted = json.items.map(
        (job: { id: string; state: string }) => `${job.id} ${job.state}`,
      );
      const shown = await page.$$eval("tr.job:not([data-ended])", (rows) =>
        rows.map((row) => `${row.id.slice(4)} ${/s-(\w+)/.exec(row.className)?.[1]}`),
      );
      assert.deepEqual(shown.sort(), wanted.sort());
      finish(leases[0]!);
      finish(await worker.take(begins));
      await box.call("POST", `/api/v1/jobs/${born}/cancel`, {});
    } finally {
      await proxy.close();
    }
  });

  test("rows do not move under the pointer; newcomers wait behind a count", async () => {
    const { page } = await open();
    const first = await submit("digest", { requirements: { pool: "none" } });
    await shows(page, first, "Ready");
    await rowOf(page, first).hover();
    const second = await submit("digest", { requirements: { pool: "none" } });
    await eventually(
      async () => (await page.textContent('[data-news="rows-waiting"]')) === "+1 new",
      "the count",
      LONG,
    );
    assert.equal(await rowOf(page, second).count(), 0);
    await box.call("POST", `/api/v1/jobs/${first}/cancel`, {});
    await shows(page, first, "Cancelled");
    await page.mouse.move(5, 5);
    await shows(page, second, "Ready");
    await gone(page, first);
    await box.call("POST", `/api/v1/jobs/${second}/cancel`, {});
  });

  test("the keyboard reaches everything", async () => {
    const { page } = await open();
    const ids = [await submit("digest", { requirements: { pool: "none" } })];
    ids.push(await submit("digest", { requirements: { pool: "none" } }));
    await shows(page, ids[1]!, "Ready");
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "filter-q");
    await page.keyboard.type("j/k");
    assert.equal(await page.inputValue("#filter-q"), "j/k");
    // Nothing is called so. Escape empties the field, and all come back.
    await gone(page, ids[0]!);
    await page.keyboard.press("Escape");
    await shows(page, ids[0]!, "Ready");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    // A list that is read anew keeps the row that has the focus.
    const focused = await page.evaluate(() => document.activeElement!.id);
    assert.match(focused, /^open-/);
    await page.evaluate(() => {
      document.querySelector("#live-jobs")!.classList.add("former");
      document.querySelector("#filters")!.dispatchEvent(new Event("filters:cleared"));
    });
    await page.waitForFunction(() => !document.querySelector("#live-jobs.former"));
    assert.equal(await page.evaluate(() => document.activeElement!.id), focused);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/board\/jobs\//);
    for (const id of ids) await box.call("POST", `/api/v1/jobs/${id}/cancel`, {});
  });

  test("without scripts the page and its filters are right", async () => {
    const id = await submit("digest", { queue: "mail", requirements: { pool: "none" } });
    const other = await submit("digest", { queue: "images", requirements: { pool: "none" } });
    const { page } = await open("/board/live", { scripts: false });
    assert.equal(await stateOf(page, id), "Ready");
    assert.match((await page.textContent("#live-pill"))!, /Reload for news/);
    await page.fill('[name="queue"]', "mail");
    await page.click(".apply");
    await page.waitForURL(/queue=mail/);
    assert.equal(await stateOf(page, id), "Ready");
    assert.equal(await rowOf(page, other).count(), 0);
    for (const job of [id, other]) await box.call("POST", `/api/v1/jobs/${job}/cancel`, {});
  });

  test("is accessible and fits, in light and dark, wide and narrow, full and empty", async () => {
    const looks = [
      { theme: "light", width: 1440 },
      { theme: "dark", width: 1440 },
      { theme: "light", width: 390 },
      { theme: "dark", width: 390 },
    ] as const;
    const id = await submit("resize");
    const lease = await worker.take(id);
    worker.session.handle({ type: "started", jobs: [ref(lease)] });
    worker.session.handle({
      type: "progress",
      jobs: [{ ...ref(lease), fraction: 0.4, note: "<b>40 %" }],
    });
    const waits = await submit(`x${"y".repeat(127)}`, { queue: "q".repeat(63) });
    for (const look of looks) {
      for (const path of ["/board/live", "/board/live?q=nothing-is-called-so"]) {
        const { page, complaints } = await open(path, look);
        assert.deepEqual(await axe(page), [], `${path} ${JSON.stringify(look)}`);
        assert.deepEqual(complaints, []);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wide, false, `${path} ${JSON.stringify(look)} is wider than the screen`);
      }
    }
    finish(lease);
    await box.call("POST", `/api/v1/jobs/${waits}/cancel`, {});
  });

  test("an empty page says what to do next", async () => {
    const fresh = await boardBox();
    try {
      const { page, complaints } = await open("/board/live", {}, await fresh.serve());
      assert.match(
        (await page.textContent(".empty"))!,
        /npx signalbox submit --follow -- echo hello/,
      );
      assert.match((await page.textContent("#fleet"))!, /No worker is connected/);
      assert.match((await page.textContent("#fleet"))!, /ws:\/\/127\.0\.0\.1:\d+/);
      const { json } = await fresh.call("POST", JOBS, { name: "first", kind: "handler" });
      await shows(page, json.id, "Ready");
      await eventually(async () => !(await page.isVisible(".empty")), "the advice is gone", LONG);
      assert.deepEqual(complaints, []);
    } finally {
      await fresh.close();
    }
  });
});
