/** The job page in a real browser; jobs are moved by hand, so that each phase can be looked at. */
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
const HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">';

describe("the job page", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  let worker: HandWorker;
  let heart: ReturnType<typeof setInterval>;
  const visits: Visit[] = [];

  before(async () => {
    box = await boardBox({ alone: true });
    base = await box.serve();
    browser = await startBrowser();
    worker = await box.worker({ name: "ada", concurrency: 50, handlers: ["resize", "report"] });
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

  async function open(id: string, options: VisitOptions & { query?: string } = {}, address = base) {
    const opened = await visit(browser, options);
    visits.push(opened);
    await enter(opened.page, address, TOKEN, `/board/jobs/${id}${options.query ?? ""}`);
    if (options.scripts !== false) await says(opened.page, "#live-pill", /^\s*Live\s*$/);
    return opened;
  }
  const says = (page: Page, selector: string, text: RegExp) =>
    eventually(
      async () => text.test((await page.textContent(selector, { timeout: 500 })) ?? ""),
      `${selector} says ${text}`,
      LONG,
    );
  async function submit(name: string, more: object = {}): Promise<string> {
    const { json, status } = await box.call("POST", JOBS, { name, kind: "handler", ...more });
    assert.equal(status, 201);
    return json.id;
  }
  const ref = ({ job, attempt, token }: Assignment) => ({ job, attempt, token });
  async function begin(id: string): Promise<Assignment> {
    const lease = await worker.take(id);
    worker.session.handle({ type: "started", jobs: [ref(lease)] });
    await box.reaches(id, "running");
    return lease;
  }
  async function print(lease: Assignment, offset: number, text: string): Promise<number> {
    const bytes = new TextEncoder().encode(text);
    await box.logs.append(lease.job, lease.attempt, offset, bytes);
    return offset + bytes.length;
  }

  test("follows a job from the line to its end", async () => {
    const id = await submit("resize", { payload: { width: 80 }, tags: { team: "web" } });
    const lease = await worker.take(id);
    const { page, complaints } = await open(id);
    await says(page, ".state.badge", /Dispatched/);
    await begin(id);
    await says(page, ".state.badge", /Running/);
    assert.match((await page.textContent("#job-why"))!, /Why it went to ada/);
    assert.match((await page.textContent("#job-head"))!, /team: web/);
    const facts = await page.$$eval(".facts > div", (all) =>
      all.map((one) => one.getBoundingClientRect().top),
    );
    assert.equal(new Set(facts).size, 1, "a few facts stand in one line");
    let at = await print(lease, 0, "\x1b[32mgreen\x1b[0m line\n");
    await says(page, "#log-lines", /green line/);
    assert.equal(await page.textContent("#log-lines .a-f2"), "green");
    at = await print(lease, at, "<b>not bold</b>\n");
    await says(page, "#log-lines", /<b>not bold<\/b>/);
    const report = {
      ...ref(lease),
      outcome: "succeeded" as const,
      run_ms: 1_234,
      result: { ok: ["é", 1] },
      usage: { peak_ram_mb: 64, source: { ram: "cgroup" as const } },
    };
    worker.session.handle({ type: "finished", jobs: [report] });
    await says(page, ".state.badge", /Succeeded/);
    await says(page, "#job-outcome", /"é"/);
    await says(page, "#job-attempts", /Succeeded.*1\.2 s.*64 MiB/s);
    assert.match((await page.textContent("#job-phases"))!, /Running\s*1\.2 s/);
    assert.equal(await page.isVisible(".act-cancel"), false);
    assert.deepEqual(complaints, []);
  });

  test("says why a job waits, and cancels and retries it after asking", async () => {
    const id = await submit("report", { requirements: { features: ["gpu-a100"] } });
    const { page, complaints } = await open(id);
    await says(page, "#job-why", /gpu-a100/);
    assert.equal(await page.isVisible(".act-retry"), false);
    await page.click('[popovertarget="confirm-cancel"]');
    await page.fill("#cancel-reason", "not needed");
    await page.click('[popovertargetaction="hide"]:visible');
    assert.equal((await box.call("GET", `/api/v1/jobs/${id}`)).json.state, "ready");
    await page.click('[popovertarget="confirm-cancel"]');
    await page.click("#confirm-cancel .primary");
    await says(page, "#flash", /Cancelled/);
    await says(page, ".state.badge", /Cancelled/);
    await says(page, "#job-outcome", /not needed/);
    assert.equal(await page.isVisible("#confirm-cancel"), false);
    await page.click('[popovertarget="confirm-retry"]');
    await page.click("#confirm-retry .primary");
    await says(page, ".state.badge", /Ready/);
    const gpu = await box.worker({ name: "gpu-1", features: ["gpu-a100"], handlers: ["report"] });
    await says(page, ".state.badge", /Dispatched/);
    gpu.session.dropped();
    assert.deepEqual(complaints, []);
  });

  test("shows what a job waits for, and its change", async () => {
    const first = await submit("resize");
    const second = await submit("report", { depends_on: [first] });
    const lease = await begin(first);
    const { page } = await open(second);
    await says(page, ".state.badge", /Queued for dependencies/);
    await says(page, "#job-neighbours", /Depends on.*resize.*Running/s);
    await page.click("#job-neighbours a");
    await page.waitForURL(new RegExp(first));
    await says(page, "#job-neighbours", /Waiting for it.*report.*Queued/s);
    worker.session.handle({
      type: "finished",
      jobs: [{ ...ref(lease), outcome: "succeeded", run_ms: 1 }],
    });
    await says(page, "#job-neighbours", /report\s.*(Ready|Dispatched)/s);
    await box.call("POST", `/api/v1/jobs/${second}/cancel`, {});
  });

  test("keeps attempts apart, and turns to the newest by itself", async () => {
    const backoff = { base_seconds: 0, factor: 1, max_seconds: 0 };
    const id = await submit("resize", { max_attempts: 2, backoff });
    const first = await begin(id);
    await print(first, 0, "from the first\n");
    const { page } = await open(id);
    await says(page, "#log-lines", /from the first/);
    const bad = {
      ...ref(first),
      outcome: "failed" as const,
      exit_code: 3,
      error: "boom",
      run_ms: 1,
    };
    worker.session.handle({ type: "finished", jobs: [bad] });
    const second = await worker.takeAfter(id, 1);
    worker.session.handle({ type: "started", jobs: [ref(second)] });
    await says(page, "#log-title", /attempt 2/);
    await print(second, 0, "from the second\n");
    await says(page, "#log-lines", /^from the second\s*$/);
    worker.session.handle({ type: "finished", jobs: [{ ...bad, ...ref(second), exit_code: 4 }] });
    await says(page, ".state.badge", /Failed/);
    await says(page, "#job-outcome", /exit 4.*boom/s);
    await page.click('#job-attempts a[href$="attempt=1"]');
    await page.waitForURL(/attempt=1/);
    await says(page, "#job-head", /looking at attempt 1/);
    await says(page, "#log-lines", /from the first/);
    await says(page, "#job-outcome", /exit 3/);
    assert.equal((await box.get(`/board/jobs/${id}?attempt=9`)).status, 404);
  });

  test("loses no line of a log across a dropped connection", async () => {
    const proxy = await cutProxy(base);
    try {
      const id = await submit("resize");
      const lease = await begin(id);
      let at = await print(lease, 0, "line 0\n");
      const { page } = await open(id, {}, proxy.url);
      for (let i = 1; i <= 30; i++) {
        at = await print(lease, at, `line ${i}\n`);
        if (i === 10) proxy.cut();
        if (i === 20) proxy.mend();
        if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await says(page, "#log-lines", /line 30\n/);
      const lines = (await page.textContent("#log-lines"))!.trim().split("\n");
      assert.deepEqual(
        lines,
        Array.from({ length: 31 }, (_, i) => `line ${i}`),
      );
      worker.session.handle({
        type: "finished",
        jobs: [{ ...ref(lease), outcome: "succeeded", run_ms: 1 }],
      });
    } finally {
      await proxy.close();
    }
  });

  test("works without scripts, the form included", async () => {
    const id = await submit("report", { requirements: { pool: "none" } });
    const { page } = await open(id, { scripts: false });
    await says(page, "#job-why", /pool none/);
    await page.click('[popovertarget="confirm-cancel"]');
    await page.click("#confirm-cancel .primary");
    await page.waitForURL(new RegExp(`${id}$`));
    await says(page, ".state.badge", /Cancelled/);
  });

  test("explains each rule in a popover", async () => {
    const id = await submit("resize");
    const lease = await begin(id);
    const { page, complaints } = await open(id);
    const help = page.locator("#job-why .popover").first();
    assert.equal(await help.isVisible(), false);
    await page.locator("#job-why .help").first().click();
    assert.equal(await help.isVisible(), true);
    assert.match((await help.textContent())!, /Weight/);
    await page.keyboard.press("Escape");
    assert.equal(await help.isVisible(), false);
    assert.deepEqual(complaints, []);
    worker.session.handle({
      type: "finished",
      jobs: [{ ...ref(lease), outcome: "succeeded", run_ms: 1 }],
    });
  });

  test("is accessible and fits with hostile data, in light and dark, wide and narrow", async () => {
    const name = `x${"y".repeat(127)}`;
    const waits = await submit(name, {
      requirements: { features: ["f".repeat(128)], ram_mb: 99_999_999 },
      tags: { "<b>": HOSTILE, long: "t".repeat(256) },
      payload: { html: HOSTILE, big: 1e300, long: "p".repeat(5_000) },
      priority: -100,
    });
    const runs = await submit("resize", { payload: HOSTILE, depends_on: [] });
    const lease = await begin(runs);
    await print(lease, 0, `${HOSTILE}\n\x1b]0;${HOSTILE}\x07\x1b[41m ${"z".repeat(3_000)}\n`);
    worker.session.handle({
      type: "progress",
      jobs: [{ ...ref(lease), fraction: 0.5, note: HOSTILE }],
    });
    const ended = await submit("resize", {});
    const bad = { ...ref(await begin(ended)), outcome: "failed" as const, run_ms: 9e14 };
    worker.session.handle({
      type: "finished",
      jobs: [
        { ...bad, error: HOSTILE.repeat(50), result: { [HOSTILE]: HOSTILE }, signal: "SIGKILL" },
      ],
    });
    await box.reaches(ended, "failed");
    const looks = [
      { theme: "light", width: 1440 },
      { theme: "dark", width: 390 },
    ] as const;
    for (const id of [waits, runs, ended]) {
      for (const look of looks) {
        const { page, complaints } = await open(id, look);
        assert.deepEqual(await axe(page), [], JSON.stringify(look));
        assert.deepEqual(complaints, []);
        assert.equal(await page.locator("main script, main img").count(), 0);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wide, false, `${JSON.stringify(look)} is wider than the screen`);
      }
    }
    for (const id of [waits, runs]) await box.call("POST", `/api/v1/jobs/${id}/cancel`, {});
  });
});
