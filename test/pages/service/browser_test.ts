/** The job service in a real browser: queues, schedules and slots, operated by clicks; and its looks. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { JOBS, TOKEN, V1 } from "../../support/api_box.ts";
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

const HOME = "/board/service";
const QUEUES = `${V1}/orgs/default/queues`;
const SCHEDULES = `${V1}/orgs/default/schedules`;
const job = (name: string, queue: string) => ({ name, queue, payload: { command: ["true"] } });

describe("the job service", () => {
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

  async function open(path = HOME, options: VisitOptions = {}) {
    const opened = await visit(browser, options);
    visits.push(opened);
    await enter(opened.page, base, TOKEN, path);
    return opened;
  }
  const submit = async (name: string, queue: string): Promise<string> => {
    const { status, json } = await box.call("POST", JOBS, job(name, queue));
    assert.equal(status, 201, JSON.stringify(json));
    return json.id;
  };
  const card = async (page: Page, name: string) =>
    (await page.textContent(`section[aria-labelledby=card-${name}]`))!.replaceAll(/\s+/g, " ");
  const says = (page: Page, name: string, pattern: RegExp) =>
    eventually(async () => pattern.test(await card(page, name)), `card ${name} says ${pattern}`);
  const tick = async (page: Page, ...names: string[]) => {
    for (const name of names)
      await page.getByLabel(`Tick default / ${name}`, { exact: true }).check();
  };
  const button = (page: Page, name: string) =>
    page.getByRole("button", { name: new RegExp(`^${name}( …)?$`) });
  const confirm = async (page: Page, verb: string, reason = "") => {
    await page.waitForURL(/service\/confirm/);
    if (reason !== "") await page.fill("#confirm-reason", reason);
    await page.locator("form").getByRole("button", { name: verb, exact: true }).click();
  };

  test("pauses, shows what waits by queue, resumes some, and stops the rest", async () => {
    const queues = ["scan", "retention", "sweep", "purge"];
    for (const queue of queues) await box.call("POST", `${QUEUES}/${queue}/pause`);
    for (const queue of queues) await submit("first", queue);
    const { page } = await open();
    for (const queue of queues) {
      const pause = await box.call("POST", `${QUEUES}/${queue}/resume`);
      assert.equal(pause.status, 200);
    }
    await page.reload();
    assert.deepEqual(
      await Promise.all(["Stop", "Pause", "Resume"].map((one) => button(page, one).isDisabled())),
      [true, true, true],
      "nothing is ticked",
    );
    await tick(page, ...queues);
    assert.equal(await button(page, "Resume").isDisabled(), true);
    await button(page, "Pause").click();
    assert.match((await page.textContent("#confirm-hits"))!, /Pauses 4 queues/);
    await confirm(page, "Pause", "tidying up");
    await page.waitForURL(/did=pause/);
    assert.match((await page.textContent(".service-news"))!, /Paused 4 queues/);
    assert.match((await page.textContent("tr[id='queue-default/scan']"))!, /tidying up/);

    for (const queue of ["scan", "scan", "retention"]) await submit("more", queue);
    await says(page, "pending", /7 in all\s*scan\s*3\s*retention\s*2\s*2 other queues\s*2/);

    await tick(page, "sweep", "retention");
    assert.equal(await button(page, "Pause").isDisabled(), true, "they are paused");
    assert.equal(await button(page, "Resume").isDisabled(), false);
    await button(page, "Resume").click();
    await confirm(page, "Resume");
    await page.waitForURL(/did=resume/);
    await tick(page, "sweep", "scan");
    assert.deepEqual(
      [await button(page, "Pause").isDisabled(), await button(page, "Resume").isDisabled()],
      [true, true],
      "one is paused and one is not",
    );
    assert.equal(await button(page, "Stop").isDisabled(), false);

    await page.getByRole("link", { name: "Stop all" }).click();
    assert.match((await page.textContent("#confirm-hits"))!, /Stops 7 pending jobs in 4 queues/);
    await confirm(page, "Stop all", "not needed");
    await page.waitForURL(/jobs\/operations\//);
    assert.match((await page.textContent("main"))!, /Begins in|7 of 7|7 jobs/);
    await page.goto(base + HOME);
    await says(page, "pending", /0 in all/);
    const paused = await box.call("GET", QUEUES);
    const still = paused.json.items.filter((one: { paused_at: string | null }) => one.paused_at);
    assert.deepEqual(
      still.map(({ name }: { name: string }) => name).sort(),
      ["purge", "scan"],
      "a stop pauses and resumes nothing",
    );
  });

  test("takes a pause back where it was just made", async () => {
    await submit("undo", "undone");
    const { page } = await open();
    await tick(page, "undone");
    await button(page, "Pause").click();
    await confirm(page, "Pause");
    await page.waitForURL(/did=pause/);
    await page.getByRole("button", { name: "Resume it again" }).click();
    await page.waitForURL(/did=resume/);
    const { json } = await box.call("GET", QUEUES);
    const own = json.items.find(({ name }: { name: string }) => name === "undone");
    assert.equal(own.paused_at, null);
  });

  test("limits a queue, and says what is wrong with a limit", async () => {
    await submit("limited", "limited");
    const { page } = await open(`${HOME}?q=limited`);
    await page.getByRole("link", { name: "limited" }).click();
    await page.waitForURL(/service\/queue/);
    await page.fill("[name=count]", "5");
    await button(page, "Save").click();
    assert.match((await page.textContent("#problem"))!, /give both, or neither/);
    assert.equal(await page.inputValue("[name=count]"), "5");
    await page.fill("[name=seconds]", "2");
    await page.fill("[name=concurrency]", "0");
    await button(page, "Save").click();
    assert.match((await page.textContent("#problem"))!, /to start nothing, pause the queue/);
    await page.fill("[name=concurrency]", "3");
    await page.fill("[name=tag]", "repository");
    await page.fill("[name=per_key]", "1");
    await button(page, "Save").click();
    await page.waitForURL(/saved/);
    const { json } = await box.call("GET", QUEUES);
    const own = json.items.find(({ name }: { name: string }) => name === "limited");
    assert.deepEqual(own.limits, {
      ...{ concurrency: 3, rate: { count: 5, seconds: 2 } },
      per_key: { tag: "repository", concurrency: 1 },
    });
    await page.goto(`${base}${HOME}?q=limited`);
    const row = (await page.textContent("tr[id='queue-default/limited']"))!;
    assert.match(row, /3 at once.*5 in 2 s.*1 at once per repository/s);
  });

  test("makes a schedule, runs it now, changes, pauses and deletes it", async () => {
    const { page } = await open(`${HOME}?tab=schedules`);
    await page.getByRole("link", { name: "New schedule" }).click();
    await page.fill("[name=name]", "nightly");
    await page.fill("[name=cron]", "61 * * * *");
    await page.fill("[name=submits]", JSON.stringify({ job: job("night", "nights") }));
    await button(page, "Make it").click();
    assert.match((await page.textContent("#problem"))!, /cron/);
    await page.fill("[name=cron]", "0 3 * * *");
    await page.fill("[name=time_zone]", "Europe/Berlin");
    await button(page, "Make it").click();
    await page.waitForURL(/schedules\/[0-9a-f-]{36}$/);
    assert.match((await page.textContent("main"))!, /Europe\/Berlin/);
    await button(page, "Run now").click();
    await confirm(page, "Run now");
    await page.waitForURL(/did=run-schedules/);
    const { json } = await box.call("GET", `${JOBS}?state=ready&state=queued`);
    assert.ok(json.items.some(({ name }: { name: string }) => name === "night"));
    await tick(page, "nightly");
    await button(page, "Pause").click();
    await confirm(page, "Pause");
    await page.waitForURL(/did=pause-schedules/);
    await says(page, "schedules", /1 in all\s*Running\s*0\s*Paused\s*1/);
    await page.getByRole("link", { name: "nightly" }).click();
    await page.fill("[name=description]", "every night");
    await button(page, "Save").click();
    await page.waitForURL(/saved/);
    await button(page, "Delete").click();
    await confirm(page, "Delete");
    await page.waitForURL(/did=delete-schedules/);
    assert.deepEqual((await box.call("GET", SCHEDULES)).json.items, []);
  });

  test("shows slots, and how far one is with being freed, while it happens", async () => {
    const worker = await box.worker({ name: "freed", pool: "freeing", concurrency: 20 });
    const heart = setInterval(() => worker.session.handle({ type: "heartbeat" }), 5_000);
    const { status, json } = await box.call("POST", JOBS, {
      ...job("hangs", "slots"),
      requirements: { pool: "freeing" },
    });
    assert.equal(status, 201);
    const lease = await worker.take(json.id);
    worker.start(lease);
    const { page } = await open(`${HOME}?tab=workers&worker=${worker.id}`);
    await says(page, "workers", /[1-9]\d* of 20 slots busy/);
    assert.equal(await button(page, "Free").isDisabled(), true);
    const slot = page.locator(`tr:has(a[href="/board/jobs/${json.id}"])`);
    await slot.locator("input[name=item]").check();
    await button(page, "Free").click();
    assert.match((await page.textContent("#confirm-hits"))!, /Stops 1 running job/);
    await page.getByLabel(/Put their jobs back in line/).check();
    await confirm(page, "Free", "it hangs");
    await page.waitForURL(/did=free/);
    assert.match((await page.textContent(".service-news"))!, /Asked 1 job to end/);
    await page.goto(`${base}${HOME}?tab=workers&worker=${worker.id}`);
    const done = async () => (await page.locator(".freeing .done").allTextContents()).join();
    await eventually(async () => /^asked [\d:]+$/.test((await done()).trim()), "it is asked");
    const { job: id, attempt, token } = lease;
    worker.session.handle({ type: "cancelling", jobs: [{ job: id, attempt, token }] } as never);
    await eventually(async () => /acknowledged/.test(await done()), "its worker has acknowledged");
    worker.end(lease, { outcome: "cancelled" });
    await worker.takeAfter(id, attempt);
    await eventually(
      async () => !(await page.textContent("#service-table"))!.includes("asked"),
      "freed",
    );
    clearInterval(heart);
    // What comes next is to wait.
    worker.leave();
  });

  test("keeps ticks while rows are printed anew, and is in order in every look", async () => {
    await submit("kept", "kept");
    const { page, complaints } = await open(`${HOME}?q=kept`);
    await tick(page, "kept");
    await submit("kept", "kept");
    const pending = () =>
      page.locator("tr[id='queue-default/kept'] td.c-num").first().textContent();
    await eventually(async () => (await pending()) === "2", "the row is printed anew");
    assert.equal(await page.getByLabel("Tick default / kept").isChecked(), true);
    assert.equal(await button(page, "Stop").isDisabled(), false);
    assert.deepEqual(complaints, []);
    for (const theme of ["light", "dark"] as const) {
      for (const width of [1440, 390]) {
        const paths = [
          "",
          "?tab=schedules",
          "?tab=workers",
          "/schedules/new",
          "/confirm?do=stop-all",
        ];
        const opened = await open(HOME, { theme, width });
        for (const path of paths) {
          await opened.page.goto(base + HOME + path);
          const what = `${path} ${theme} ${width}`;
          assert.deepEqual(await axe(opened.page), [], what);
          const wide = await opened.page.evaluate(
            () => document.documentElement.scrollWidth > innerWidth,
          );
          assert.equal(wide, false, `${what} is wider than the screen`);
        }
        assert.deepEqual(opened.complaints, [], `${theme} ${width}`);
      }
    }
  });
});
