/** The form of a rule's limits in a real browser: what holds, where it comes from, set and taken back. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { type Browsing, somebody } from "../../support/accounts/people.ts";
import { makeName } from "../../support/alerts/runs.ts";
import { V1 } from "../../support/api_box.ts";
import { FormBox, isWrong, posted } from "../../support/pages/form_box.ts";

const RULE = "BackgroundJobFailing";
const PAGE = `/board/alerts/rules/${RULE}`;

describe("limits of a rule on the board", () => {
  let forms: FormBox;
  let operator: Browsing;
  let viewer: Browsing;
  let stranger: Browsing;

  before(async () => {
    forms = await FormBox.start({ engine: { alertSeconds: 3_600 } });
    const { box } = forms;
    await makeName(box.database.intake as never, "report");
    const { id } = box.directory.byName("default")!;
    operator = await somebody(box, { roles: { [id]: "operator" } });
    viewer = await somebody(box, { roles: { [id]: "viewer" } });
    stranger = await somebody(box);
  });
  afterEach(async () => {
    await forms.leave();
    await forms.box.database.intake`delete from alert_limit`;
  });
  after(() => forms.close());

  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const held = async (page: Page, key: string) => {
    const row = page.locator("#limits-held tr", { hasText: key });
    return (await row.locator("th, td").allTextContents()).join(" ").replaceAll(/\s+/g, " ");
  };
  /** By the API, which must say the same. */
  const rule = async (name = "") => {
    const query = name === "" ? "" : `?job_name=${name}`;
    const { json } = await forms.box.call("GET", `${V1}/orgs/default/alert-rules${query}`);
    return json.items.find((one: { rule: string }) => one.rule === RULE);
  };
  const values = async (name = "") =>
    Object.fromEntries(
      (await rule(name)).limits.map(({ key, value, from }: Record<string, unknown>) => {
        return [key, [value, from]];
      }),
    );

  test("say what holds and from where, for all jobs and for one, set and taken back", async () => {
    const page = await forms.openAs(operator, PAGE);
    assert.match(await held(page, "failure_rate"), /5 % built in 5 %/);
    assert.match(await held(page, "Has to hold for"), /5 min built in, cannot be set/);
    assert.equal(await page.getAttribute("#limit-window-seconds", "placeholder"), "10 min");
    assert.equal(await button(page, "Take all of it back").count(), 0);
    await page.fill("#limit-failure-rate", "12.5 %");
    await page.fill("#limit-window-seconds", "20 min");
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    assert.match(await held(page, "failure_rate"), /12\.5 % set for all jobs 5 %/);
    assert.match(await held(page, "runs_min"), /3 built in 3/);
    assert.equal(await page.inputValue("#limit-failure-rate"), "12.5 %");
    const ofOrg = {
      failure_rate: [0.125, "organization"],
      window_seconds: [1_200, "organization"],
    };
    assert.deepEqual(await values(), { ...ofOrg, runs_min: [3, "default"] });

    await page.getByLabel("Job name").fill("report");
    await button(page, "Show").click();
    await page.waitForURL(/name=report/);
    assert.match(await held(page, "failure_rate"), /12\.5 % set for all jobs/);
    assert.equal(await page.inputValue("#limit-failure-rate"), "");
    assert.equal(await page.getAttribute("#limit-failure-rate", "placeholder"), "12.5 %");
    await page.fill("#limit-failure-rate", "0.5");
    await page.getByLabel("It is switched on").uncheck();
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    assert.match(await held(page, "failure_rate"), /50 % set for this job 5 %/);
    assert.match((await page.textContent("#limits"))!, /switched off/);
    assert.deepEqual(await values("report"), {
      ...ofOrg,
      ...{ failure_rate: [0.5, "name"], runs_min: [3, "default"] },
    });
    assert.equal((await rule("report")).enabled, false);
    await page.locator("#limits").getByRole("link", { name: "all jobs" }).click();
    await page.locator("#limits").getByRole("link", { name: "report" }).click();
    await page.waitForURL(/name=report/);

    await button(page, "Take all of it back").click();
    await page.waitForSelector("#saved");
    assert.equal((await rule("report")).enabled, true);
    assert.deepEqual((await values("report")).failure_rate, [0.125, "organization"]);
    await page.goto(forms.base + PAGE);
    await button(page, "Take all of it back").click();
    await page.waitForSelector("#saved");
    assert.match(await held(page, "failure_rate"), /5 % built in/);
    assert.deepEqual(await forms.audited("alert_rule"), Array(4).fill("alert_rule.change"));
  });

  test("that cannot be come back with a sentence beside their field", async () => {
    const { page } = await forms.open(PAGE);
    await page.fill("#limit-failure-rate", "12");
    await page.fill("#limit-window-seconds", "a while");
    await button(page, "Save").click();
    await isWrong(page, "limit-failure-rate", /^Share that failed must be a number from 0 to 1\.$/);
    assert.match(
      (await page.textContent("#limit-window-seconds-problem"))!,
      /^Window must be a whole number from 60 to 604800\.$/,
    );
    assert.equal(await page.inputValue("#limit-failure-rate"), "12");
    assert.equal(await page.inputValue("#limit-window-seconds"), "a while");
    assert.match((await page.textContent("#problem"))!, /Look again at: Share that failed, Window/);
    assert.deepEqual((await values()).failure_rate, [0.05, "default"]);
    await page.goto(`${forms.base}${PAGE}?name=${encodeURIComponent("no name")}`);
    await page.fill("#limit-failure-rate", "0.5");
    await button(page, "Save").click();
    assert.match((await page.textContent("#problem"))!, /^Job name must be 1 to 128 of letters/);
    assert.equal(await page.inputValue("#limit-failure-rate"), "0.5");
  });

  test("of a rule that is off for all jobs say how it is on for one", async () => {
    const { page } = await forms.open(PAGE);
    await page.getByLabel("It is switched on").uncheck();
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    await page.goto(`${forms.base}${PAGE}?name=report`);
    assert.equal(await page.getByLabel("It is switched on").isChecked(), false);
    await page.getByLabel("It is switched on").check();
    await button(page, "Save").click();
    assert.match((await page.textContent("#problem"))!, /switched off for all jobs.*set one of/);
    await page.fill("#limit-runs-min", "3");
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    assert.equal((await rule("report")).enabled, true);
    assert.equal((await rule()).enabled, false);
  });

  test("are shown to viewers without a form, and hidden from strangers", async () => {
    const page = await forms.openAs(viewer, PAGE);
    assert.match(await held(page, "failure_rate"), /built in/);
    assert.equal(await page.locator("#limits form[method=post]").count(), 0);
    const set = `${PAGE}/limits?org=default`;
    assert.equal(await posted(viewer, set, { failure_rate: "0.5" }), 403);
    assert.equal(await posted(stranger, set, { failure_rate: "0.5" }), 404);
    assert.equal((await stranger.get(`${PAGE}?org=default`)).status, 404);
    assert.deepEqual((await values()).failure_rate, [0.05, "default"]);
  });

  test("are of one organization, which is chosen where there are more", async () => {
    const { box } = forms;
    await box.call("POST", `${V1}/orgs`, { name: "acme" });
    await box.directory.refresh();
    const { page } = await forms.open(PAGE);
    assert.match((await page.textContent("#limits"))!, /Each organization has its own/);
    assert.equal(await page.locator("#limits-held").count(), 0);
    await page.selectOption("#limits select[name=org]", "acme");
    await page.locator("#limits").getByRole("button", { name: "Show" }).click();
    await page.waitForURL(/org=acme/);
    await page.fill("#limit-runs-min", "9");
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    assert.deepEqual((await values()).runs_min, [3, "default"], "the other has its own");
    const path = `${V1}/orgs/acme/alert-rules`;
    const { items } = (await box.call("GET", path)).json;
    const own = items.find((one: { rule: string }) => one.rule === RULE);
    assert.equal(own.limits.find(({ key }: { key: string }) => key === "runs_min").value, 9);
    await forms.isFitting([`${PAGE}?org=acme`, `${PAGE}?org=default&name=report`, PAGE]);
  });
});
