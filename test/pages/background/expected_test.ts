/** The form that says how often a job name is to run, in a real browser. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { type Browsing, somebody } from "../../support/accounts/people.ts";
import { JOBS, V1 } from "../../support/api_box.ts";
import { FormBox, isWrong, posted } from "../../support/pages/form_box.ts";

const HOME = "/board/background";
const pageOf = (name: string) =>
  `${HOME}/expected?${new URLSearchParams({ org: "default", name })}`;

describe("how often a job is to run, on the board", () => {
  let forms: FormBox;
  let admin: Browsing;
  let operator: Browsing;
  let stranger: Browsing;

  before(async () => {
    forms = await FormBox.start();
    const { box } = forms;
    const { id } = box.directory.byName("default")!;
    admin = await somebody(box, { roles: { [id]: "admin" } });
    operator = await somebody(box, { roles: { [id]: "operator" } });
    stranger = await somebody(box);
    for (const name of ["clips/sync", "nightly"]) {
      const input = { name, payload: { command: ["true"] }, requirements: { pool: "none" } };
      assert.equal((await box.call("POST", JOBS, input)).status, 201);
    }
    const job = { name: "nightly", payload: { command: ["true"] } };
    const schedule = { name: "every-night", cron: "0 3 * * *", job };
    const made = await box.call("POST", `${V1}/orgs/default/schedules`, schedule);
    assert.equal(made.status, 201);
  });
  afterEach(() => forms.leave());
  after(() => forms.close());

  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const told = async () =>
    (await forms.box.call("GET", `${V1}/orgs/default/expectations`)).json.items;

  test("is said from the table of details, changed and taken back", async () => {
    const page = await forms.openAs(admin, `${HOME}?name=nightly`);
    await page.getByRole("link", { name: /^How often nightly is to run/ }).click();
    await page.waitForURL(/background\/expected/);
    await page.goto(forms.base + pageOf("clips/sync"));
    assert.match((await page.textContent("main"))!, /Nothing says so: it has no schedule/);
    assert.equal(await button(page, "Take it back").count(), 0);
    await page.fill("#expected-expected-interval-seconds", "15 min");
    await page.fill("#expected-reason", "it syncs clips");
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    assert.match((await page.textContent("main"))!, /Every 15 min, with 2 min of grace/);
    await page.fill("#expected-expected-interval-seconds", "1 h 30 min");
    await page.fill("#expected-grace-seconds", "0");
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    const [{ name, expected_interval_seconds, grace_seconds, updated_by }] = await told();
    assert.deepEqual(
      [name, expected_interval_seconds, grace_seconds, updated_by],
      [...["clips/sync", 5_400, 0, admin.person.name]],
    );
    assert.equal(await page.inputValue("#expected-expected-interval-seconds"), "1 h 30 min");
    await button(page, "Take it back").click();
    await page.waitForSelector("#saved");
    assert.deepEqual(await told(), []);
    const expect = "name.expect";
    assert.deepEqual(await forms.audited("name"), [`${expect}: it syncs clips`, expect, expect]);
  });

  test("that is no time comes back with a sentence beside its field", async () => {
    const { page } = await forms.open(pageOf("clips/sync"));
    await page.fill("#expected-expected-interval-seconds", "now and then");
    await page.fill("#expected-grace-seconds", "2 years");
    await button(page, "Save").click();
    const sentence = /^Interval must be a whole number of seconds, from 10 to 31536000\.$/;
    await isWrong(page, "expected-expected-interval-seconds", sentence);
    assert.match((await page.textContent("#expected-grace-seconds-problem"))!, /^Grace must be/);
    assert.equal(await page.inputValue("#expected-grace-seconds"), "2 years");
    await page.fill("#expected-expected-interval-seconds", "9 s");
    await page.fill("#expected-grace-seconds", "");
    await button(page, "Save").click();
    await isWrong(page, "expected-expected-interval-seconds", sentence);
    assert.deepEqual(await told(), []);
  });

  test("is said to come from a schedule where there is one", async () => {
    const { page } = await forms.open(pageOf("nightly"));
    assert.match((await page.textContent("main"))!, /By its schedules.*0 3 \* \* \* UTC/s);
    await page.fill("#expected-expected-interval-seconds", "1 d");
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    assert.match((await page.textContent("main"))!, /Every 1 d.*A schedule goes before that/s);
    await page.getByRole("link", { name: "every-night" }).click();
    await page.waitForURL(/service\/schedules\//);
  });

  test("is read by whoever sees the job, and said by admins", async () => {
    const path = pageOf("clips/sync");
    const page = await forms.openAs(operator, path);
    assert.match((await page.textContent("main"))!, /Nothing says so/);
    assert.equal(await page.locator("main form").count(), 0);
    const fields = { expected_interval_seconds: "1 h" };
    assert.equal(await posted(operator, path, fields), 403);
    assert.equal(await posted(stranger, path, fields), 404);
    assert.equal((await stranger.get(path)).status, 404);
    assert.equal((await admin.get(pageOf("nobody"))).status, 404);
    assert.equal(await posted(admin, pageOf("nobody"), fields), 404);
    const system = `${HOME}/expected?org=system&name=rollups`;
    assert.equal((await forms.box.get(system)).status, 404);
  });

  test("is in order in every look", async () => {
    await forms.isFitting([pageOf("clips/sync"), pageOf("nightly")]);
  });
});
