/** The forms of channels in a real browser, with a real receiver at the other end. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { type Browsing, somebody } from "../../support/accounts/people.ts";
import { type Receiver, receiver } from "../../support/alerts/receiver.ts";
import { V1 } from "../../support/api_box.ts";
import { FormBox, isWrong, posted } from "../../support/pages/form_box.ts";

const ALERTS = "/board/alerts";
const HOME = `${ALERTS}/channels`;
const OURS = `${V1}/orgs/default/alert-channels`;
const HOOK = "https://hooks.invalid/T0/secret";

describe("channels on the board", () => {
  let forms: FormBox;
  let server: Receiver;
  let operator: Browsing;
  let viewer: Browsing;
  let stranger: Browsing;

  before(async () => {
    forms = await FormBox.start({ engine: { alertSeconds: 3_600 } });
    server = await receiver();
    const { id } = forms.box.directory.byName("default")!;
    operator = await somebody(forms.box, { roles: { [id]: "operator" } });
    viewer = await somebody(forms.box, { roles: { [id]: "viewer" } });
    stranger = await somebody(forms.box);
  });
  afterEach(() => forms.leave());
  after(async () => {
    await server.close();
    await forms.close();
  });

  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const make = async (page: Page, fields: Record<string, string>, kind = "Webhook") => {
    await page.getByLabel(kind, { exact: true }).check();
    for (const [id, value] of Object.entries(fields)) await page.fill(`#channel-${id}`, value);
    await button(page, "Make it").click();
  };
  const made = async (input: object, path = OURS): Promise<string> => {
    const { status, json } = await forms.box.call("POST", path, input);
    assert.equal(status, 201, JSON.stringify(json));
    return json.id;
  };
  const told = async (path = OURS) => (await forms.box.call("GET", path)).json.items;
  const named = async (name: string) =>
    (await told()).find((one: { name: string }) => one.name === name);

  test("a webhook is made, tried, changed and deleted, its secret shown once", async () => {
    const { page } = await forms.open(ALERTS);
    await page.getByRole("link", { name: "Channels" }).click();
    await page.getByRole("link", { name: "New channel" }).click();
    await make(page, { name: "ops", url: "ftp://somewhere" });
    await isWrong(page, "channel-url", /^URL must be an address that begins with https:\/\//);
    assert.equal(await page.inputValue("#channel-url"), "ftp://somewhere");
    assert.equal(await page.inputValue("#channel-name"), "ops");
    await make(page, { url: server.url });
    const secret = (await page.textContent("#made code"))!;
    assert.match(secret, /^whsec_/);
    const main = (await page.textContent("main"))!;
    assert.match(main, /http:\/\/127\.0\.0\.1:\d+\/…/);
    assert.doesNotMatch(main, /\/hook/);

    await button(page, "Send a test message").click();
    await page.getByText("The test message arrived.").waitFor();
    assert.equal(JSON.parse(server.received.at(-1)!.body).type, "alerts.test");
    assert.doesNotMatch((await page.textContent("main"))!, /whsec_/);
    server.answers = [{ status: 500, body: "<b>no</b> room" }, { status: 200 }];
    await button(page, "Send a test message").click();
    await page.waitForSelector("#tried[role=alert]");
    assert.match(
      (await page.textContent("#tried"))!,
      /did not arrive.*answered 500: <b>no<\/b> room/s,
    );

    await page.getByLabel("critical alerts only").check();
    await page.getByLabel("It is switched on").uncheck();
    await button(page, "Save").click();
    await page.waitForSelector("#saved");
    const { url, severity, enabled } = await named("ops");
    assert.deepEqual(
      [new URL(url).origin, severity, enabled],
      [...[new URL(server.url).origin, "critical", false]],
    );
    await button(page, "Send a test message").click();
    await page.getByText("The test message arrived.").waitFor();
    assert.equal(server.received.at(-1)!.path, "/hook", "an address that is left empty stays");

    await page.getByRole("link", { name: "Delete …" }).click();
    assert.match((await page.textContent("#confirm-hits"))!, /Nobody is told through it any more/);
    await page.getByRole("link", { name: "Leave it" }).click();
    assert.ok(await named("ops"));
    await page.getByRole("link", { name: "Delete …" }).click();
    await page.fill("#confirm-reason", "we have pagers");
    await button(page, "Delete").click();
    await page.getByText("The channel is gone").waitFor();
    assert.equal(await named("ops"), undefined);
    assert.deepEqual(await forms.audited("alert_channel"), [
      ...["alert_channel.create", "alert_channel.test", "alert_channel.test"],
      ...["alert_channel.update", "alert_channel.test"],
      "alert_channel.delete: we have pagers",
    ]);
  });

  test("one for e-mail asks for addresses, and one for Slack for an address", async () => {
    const { page } = await forms.open(`${HOME}/new`);
    assert.equal(await page.isVisible("#channel-addresses"), false);
    await page.getByLabel("E-mail", { exact: true }).check();
    assert.equal(await page.isVisible("#channel-url"), false);
    await make(page, { name: "mails" }, "E-mail");
    await isWrong(page, "channel-addresses", /is missing: a channel of kind email needs it/);
    await make(page, { addresses: "ops@example.org, b@c@d" }, "E-mail");
    await isWrong(page, "channel-addresses", /“b@c@d” must be an e-mail address, such as/);
    await make(page, { addresses: "ops@example.org; more@example.org" }, "E-mail");
    await page.waitForSelector("#made");
    assert.deepEqual((await named("mails")).addresses, ["ops@example.org", "more@example.org"]);
    await page.fill("#channel-addresses", "");
    await button(page, "Save").click();
    await isWrong(page, "channel-addresses", /needs at least one address/);

    await page.goto(`${forms.base}${HOME}/new`);
    await make(page, { name: "mails", url: HOOK }, "Slack");
    await isWrong(page, "channel-name", /^There is a channel mails already/);
    await make(page, { name: "slack" }, "Slack");
    await page.waitForSelector("#made");
    assert.equal((await named("slack")).kind, "slack");
    await page.fill("#channel-name", "mails");
    await button(page, "Save").click();
    await isWrong(page, "channel-name", /^There is a channel mails already/);
  });

  test("those of every organization are the superuser's, and stand beside the others", async () => {
    const { page } = await forms.open(`${HOME}/new`, { scripts: false });
    await page.selectOption("#channel-org", "");
    await make(page, { name: "everything", url: HOOK }, "Slack");
    await page.getByText("The channel is made.").waitFor();
    const [all] = await told(`${V1}/alert-channels`);
    assert.equal(all.name, "everything");
    const id = await made({ name: "ours", kind: "slack", url: HOOK });
    await page.goto(forms.base + HOME);
    assert.match((await page.textContent("#channels"))!, /everything.*every organization.*ours/s);
    const theirs = await forms.openAs(operator, HOME);
    const table = (await theirs.textContent("#channels"))!;
    assert.match(table, /ours/);
    assert.doesNotMatch(table, /everything/);
    assert.deepEqual(
      await Promise.all([
        posted(operator, `${HOME}/${all.id}`, { name: "mine" }),
        posted(operator, `${HOME}/${all.id}?org=default`, { name: "mine" }),
        posted(operator, `${HOME}/${id}`, { name: "mine" }),
        posted(operator, `${HOME}/new`, { name: "mine", kind: "slack", url: HOOK, org: "" }),
      ]),
      [403, 404, 403, 403],
    );
  });

  test("show what became of the last message, also on the page of alerts", async () => {
    const id = await made({ name: "lost", kind: "slack", url: HOOK });
    const at = new Date();
    const sql = forms.box.database.intake;
    await sql`insert into alert_delivery ${sql({
      ...{ id: crypto.randomUUID(), channel_id: id, message: "{}", state: "given_up", attempts: 9 },
      ...{ created_at: at, next_try_at: at, ended_at: at, last_error: "It answered 404: gone" },
    } as never)}`;
    const { page } = await forms.open(HOME);
    const row = (await page.locator("#channels tr", { hasText: "lost" }).textContent())!;
    assert.match(row, /given up\s*It answered 404: gone/);
    await page.goto(forms.base + ALERTS);
    assert.match((await page.textContent("main"))!, /1 channel could not be reached last/);
  });

  test("operators have the same forms, but none for addresses of our own network", async () => {
    const page = await forms.openAs(operator, `${HOME}/new`);
    assert.deepEqual(await page.locator("#channel-org option").allTextContents(), ["default"]);
    await make(page, { name: "inside", url: server.url });
    await isWrong(page, "channel-url", /only superusers may write one/);
    await make(page, { url: "https://hooks.invalid/x" });
    await page.waitForSelector("#made code");
    const { id, created_by } = await named("inside");
    assert.equal(created_by, operator.person.name);
    assert.equal(await posted(operator, `${HOME}/${id}?org=default`, { name: "" }), 422);
  });

  test("nobody else is shown any, or may change one", async () => {
    const id = await made({ name: "private", kind: "slack", url: HOOK });
    const page = await forms.openAs(viewer, ALERTS);
    assert.equal(await page.getByRole("link", { name: "Channels" }).count(), 0);
    const one = `${HOME}/${id}`;
    for (const [who, status] of [
      [viewer, 403],
      [stranger, 404],
    ] as const) {
      for (const path of [HOME, one, `${one}/delete`]) {
        assert.equal((await who.get(`${path}?org=default`)).status, status, path);
      }
      for (const path of [one, `${one}/test`, `${one}/delete`]) {
        assert.equal(await posted(who, `${path}?org=default`, { name: "x" }), status, path);
      }
      assert.equal((await who.get(`${HOME}/new`)).status, 403);
      const fields = { org: "default", name: "x", kind: "slack", url: HOOK };
      assert.equal(await posted(who, `${HOME}/new`, fields), status);
    }
    const foreign = new Request(`http://board${one}/delete?org=default`, {
      ...{ method: "POST", body: new URLSearchParams(), redirect: "manual" },
      headers: { cookie: operator.cookie, "sec-fetch-site": "cross-site" },
    });
    assert.equal((await forms.box.fetch(foreign)).status, 401, "from another site");
    assert.ok(await named("private"));
  });

  test("are in order in every look", async () => {
    const id = await made({ name: "looked-at", kind: "slack", url: HOOK });
    const one = `${HOME}/${id}`;
    await forms.isFitting([HOME, `${HOME}/new`, `${one}?org=default`, `${one}/delete?org=default`]);
  });
});
