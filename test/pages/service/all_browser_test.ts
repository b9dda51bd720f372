/** The job service in a real browser: all schedules paused and resumed, all slots freed, by clicks. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { JOBS, TOKEN, V1 } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { enter, startBrowser, type Visit, visit } from "../../support/browser.ts";
import { eventually } from "../../support/eventually.ts";

const HOME = "/board/service";
const schedulesOf = (org: string) => `${V1}/orgs/${org}/schedules`;
/** Nobody takes it. */
const NOWHERE = { requirements: { pool: "nobody" } };
const job = (name: string, more: object = {}) => ({
  ...{ name, queue: "all", payload: { command: ["true"] } },
  ...more,
});

describe("all of the job service at once", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  const visits: Visit[] = [];

  before(async () => {
    box = await boardBox();
    await box.database
      .beats`insert into org (name, title, is_public) values ('other', 'Other', false)`;
    await box.directory.refresh();
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

  async function open(path: string): Promise<Page> {
    const opened = await visit(browser, {});
    visits.push(opened);
    await enter(opened.page, base, TOKEN, path);
    return opened.page;
  }
  const says = (page: Page, card: string, pattern: RegExp) =>
    eventually(async () => {
      const text = await page.textContent(`section[aria-labelledby=card-${card}]`);
      return pattern.test(text!.replaceAll(/\s+/g, " "));
    }, `card ${card} says ${pattern}`);
  /** From the card to the confirmation and back. */
  const press = async (page: Page, verb: string, hits: RegExp, reason: string) => {
    await page.getByRole("link", { name: `${verb} …` }).click();
    await page.waitForURL(/service\/confirm/);
    assert.match((await page.textContent("#confirm-hits"))!, hits);
    await page.fill("#confirm-reason", reason);
    await page.locator("form").getByRole("button", { name: verb, exact: true }).click();
    await page.waitForURL(/did=/);
    return (await page.textContent(".service-news"))!;
  };
  const make = async (org: string, name: string, cron: string, more: object = {}) => {
    const body = { name, cron, overlap: "replace", job: job(name, NOWHERE), ...more };
    const { status, json } = await box.call("POST", schedulesOf(org), body);
    assert.equal(status, 201, JSON.stringify(json));
    return json.id as string;
  };
  const firesOf = async (org: string, id: string): Promise<number> => {
    const { json } = await box.call("GET", `${schedulesOf(org)}/${id}/fires?limit=1000`);
    return json.items.filter(({ state }: { state: string }) => state !== "skipped").length;
  };
  const audited = async (action: string) =>
    (
      await box.database.reads`
        select actor, reason, affected from audit_log where action = ${action} order by id`
    ).map((row) => [row.actor, row.reason, row.affected]);

  test("of six schedules three are deleted, and three stay", async () => {
    for (let n = 1; n <= 6; n++) {
      const vendor = { vendor_type: "RETENTION", vendor_id: String(n) };
      await make("default", `retain-${n}`, "0 0 0 * * 0", vendor);
    }
    const page = await open(`${HOME}?tab=schedules`);
    const rows = page.locator("tr[id^=schedule-]");
    assert.equal(await rows.count(), 6);
    assert.equal(await rows.filter({ hasText: "RETENTION" }).count(), 6);
    for (const n of [1, 2, 3]) await page.getByLabel(`Tick default / retain-${n}`).check();
    await page.getByRole("button", { name: "Delete …" }).click();
    await page.locator("form").getByRole("button", { name: "Delete", exact: true }).click();
    await page.waitForURL(/did=delete-schedules/);
    assert.deepEqual(await rows.locator("th a").allTextContents(), [
      "retain-4",
      "retain-5",
      "retain-6",
    ]);
    await says(page, "schedules", /3 in all/);
  });

  test("paused, no schedule starts anything; resumed, they go on; those of others never stopped", async () => {
    const every = "* * * * * *";
    const own = await make("default", "often", every);
    const other = await make("other", "elsewhere", every);
    const page = await open(`${HOME}?tab=schedules&org=default`);
    const run = () => firesOf("default", own);
    await eventually(async () => (await run()) > 1, "it fires");
    await says(page, "schedules", /Running\s*4\s*Paused\s*0/);
    const told = await press(page, "Pause all", /Pauses 4 schedules of default/, "storm");
    assert.match(told, /Paused 4 schedules/);
    await says(page, "schedules", /Running\s*0\s*Paused\s*4/);
    assert.equal(await page.getByRole("link", { name: "Pause all …" }).count(), 0);
    const before = await run();
    const others = await firesOf("other", other);
    await eventually(
      async () => (await firesOf("other", other)) > others + 2,
      "those of others go on",
    );
    assert.equal(await run(), before, "nothing new of those that are paused");
    const resumed = await press(page, "Resume all", /Resumes 4 schedules of default/, "over");
    assert.match(resumed, /Resumed 4 schedules/);
    await says(page, "schedules", /Running\s*4\s*Paused\s*0/);
    const fires = await run();
    await eventually(async () => (await run()) > fires, "it fires again");
    assert.deepEqual(await audited("schedules.pause"), [["admin", "storm", 4]]);
    assert.deepEqual(await audited("schedules.resume"), [["admin", "over", 4]]);
  });

  test("freed, every slot is free when its worker says so, and its log could be read", async () => {
    const pool = "replication";
    const worker = await box.worker({ name: pool, pool, concurrency: 10 });
    const heart = setInterval(() => worker.session.handle({ type: "heartbeat" }), 5_000);
    const leases = [];
    const page = await open(`${HOME}?tab=workers&worker=${worker.id}`);
    await says(page, "workers", /0 of 10 slots busy/);
    assert.equal(await page.getByRole("link", { name: "Free all …" }).count(), 0);
    for (let n = 1; n <= 3; n++) {
      const body = job("replicate", { requirements: { pool } });
      const { json } = await box.call("POST", JOBS, body);
      const lease = await worker.take(json.id);
      worker.start(lease);
      leases.push(lease);
      await says(page, "workers", new RegExp(`${n} of 10 slots busy`));
    }
    const [first] = leases;
    const text = new TextEncoder().encode("copied 3 of 9 layers\n");
    await box.logs.append(first!.job, first!.attempt, 0, text);
    await page.reload();
    const row = page.locator(`tr:has(a[href="/board/jobs/${first!.job}"])`);
    assert.match((await row.textContent())!, /replicate/);
    await row.getByRole("link", { name: "log" }).click();
    await page.waitForURL(/#job-log$/);
    assert.equal(await page.locator(":target").getAttribute("id"), "job-log");
    assert.match((await page.textContent("#log-lines"))!, /copied 3 of 9 layers/);
    await page.goto(`${base}${HOME}?tab=workers&worker=${worker.id}`);
    const told = await press(page, "Free all", /Stops 3 running jobs/, "replication hangs");
    assert.match(told, /Asked 3 jobs to end/);
    await page.goto(`${base}${HOME}?tab=workers&worker=${worker.id}`);
    assert.equal(await page.locator(".freeing").count(), 3, "asked, and not called free yet");
    await says(page, "workers", /3 of 10 slots busy/);
    for (const lease of leases) worker.end(lease, { outcome: "cancelled" });
    await says(page, "workers", /0 of 10 slots busy/);
    await eventually(async () => (await page.locator(".freeing").count()) === 0, "all are free");
    for (const { job: id } of leases) {
      assert.equal((await box.reaches(id, "cancelled")).reason, "replication hangs");
    }
    assert.deepEqual(await audited("slots.free"), [["admin", "replication hangs", 3]]);
    clearInterval(heart);
  });
});
