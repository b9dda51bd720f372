/** Real processes throughout: server, worker, PostgreSQL, browser. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { axe, enter, startBrowser, visit } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { ADMIN_TOKEN, type Process, TestSystem } from "../support/system.ts";

const LONG = { deadlineMs: 40_000 };

describe("a job on the board, end to end", () => {
  let system: TestSystem;
  let server: Process;
  let browser: Browser;
  let base: string;

  before(async () => {
    system = await TestSystem.create({ leaseSeconds: 5, graceSeconds: 5 });
    server = await system.server();
    system.worker("ada", 2);
    await system.connected("ada");
    browser = await startBrowser();
    base = `http://127.0.0.1:${system.port}`;
  });
  after(async () => {
    await browser.close();
    await system.stop();
  });

  const says = (page: Page, selector: string, text: RegExp) =>
    eventually(
      async () => text.test((await page.textContent(selector, { timeout: 500 })) ?? ""),
      `${selector} says ${text}`,
      LONG,
    );
  const submit = async (name: string, script: string) => {
    const job = await system.client.submit({ name, payload: { command: ["sh", "-c", script] } });
    return job.id;
  };

  test("it is seen on the live page, opened, read and understood", async () => {
    const { page, complaints, context } = await visit(browser);
    await enter(page, base, ADMIN_TOKEN, "/board/live");
    await says(page, "#live-pill", /^\s*Live\s*$/);
    await says(page, "#fleet", /1 worker.*of 2 slots/s);
    const script =
      'printf "\\033[31mred\\033[0m\\n"; i=0; while [ ! -e "$TMPDIR/go" ] && [ $i -lt 100 ];' +
      ' do i=$((i+1)); sleep 0.1; [ $i = 20 ] && touch "$TMPDIR/go"; done;' +
      ' echo done; echo \'{"answer": 42}\' > "$SIGNALBOX_RESULT"';
    const id = await submit("say-hello", script);
    await says(page, `#job-${id} .state`, /Running/);
    await page.click(`#job-${id} a`);
    await page.waitForURL(`${base}/board/jobs/${id}`);
    await says(page, ".state.badge", /Running/);
    await says(page, "#log-lines .a-f1", /red/);
    await says(page, "#job-why", /Why it went to ada.*Total/s);
    await says(page, ".state.badge", /Succeeded/);
    await says(page, "#log-lines", /done/);
    await says(page, "#job-outcome", /"answer": 42/);
    await says(page, "#job-attempts", /Succeeded\s+ada/);
    await says(page, "#job-contexts", /Worker.*RAM total.*Instance/s);
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test("a page that is open while the server dies and comes back is right again", async () => {
    const { page, context } = await visit(browser);
    await enter(page, base, ADMIN_TOKEN, "/board/live");
    const quick = await submit("ends-meanwhile", "sleep 1");
    const slow = await submit("goes-on", "sleep 60");
    await says(page, `#job-${quick} .state`, /Running/);
    await says(page, `#job-${slow} .state`, /Running/);
    server.kill("SIGKILL");
    await server.exited;
    await says(page, "#live-pill", /Reconnecting|Stale since/);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    server = await system.server();
    await says(page, "#live-pill", /^\s*Live\s*$/);
    await eventually(
      async () => (await page.locator(`#job-${quick}`).count()) === 0,
      "it left",
      LONG,
    );
    await says(page, `#job-${slow} .state`, /Running/);
    const { state } = await system.client.job(quick);
    assert.equal(state, "succeeded");
    await system.client.cancel(slow);
    await says(page, `#job-${slow} .state`, /Cancelled/);
    await context.close();
  });
});
