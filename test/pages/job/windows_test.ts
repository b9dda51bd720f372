/** What was usual on the instance when a job was dispatched, on its page and by the API. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { somebody } from "../../support/accounts/people.ts";
import { JOBS, V1 } from "../../support/api_box.ts";
import { eventually } from "../../support/eventually.ts";
import { type ChartBox, chartBox } from "../../support/metrics/chart_box.ts";

describe("the instance as it was when a job was dispatched", () => {
  let box: ChartBox;
  let page: string;
  before(async () => {
    box = await chartBox({ n: 300, seed: 7 });
    const worker = await box.worker({ concurrency: 100 });
    const dispatched = async () => {
      const input = { name: "hello", payload: { command: ["true"] } };
      const { id } = (await box.call("POST", JOBS, input)).json;
      await worker.take(id);
      return id as string;
    };
    // The windows are read soon after the rollups, and a context may be a second old.
    page = await eventually(async () => {
      const id = await dispatched();
      const why = (await box.call("GET", `${V1}/jobs/${id}/explain`)).json;
      const { windows } = why.dispatch.contexts.instance;
      return windows.wait_seconds.w24h === null ? "" : `/board/jobs/${id}`;
    }, "a dispatch has frozen windows");
  });
  after(() => box.close());

  test("stands on its page with five minutes, an hour and a day beside each other", async () => {
    const html = await box.page(page, box.superuser);
    const [, table = ""] = /Instance, lately(.*?)<\/table>/s.exec(html) ?? [];
    assert.match(table, /5 minutes.*1 hour.*24 hours/s);
    assert.match(table, /Jobs completed<\/th>(<td class="num">[\d,]+<\/td>){3}/);
    assert.match(
      table,
      /Mean wait in line<\/th><td[^>]*>[^<]+<\/td><td[^>]*>[^<]+<\/td><td class="num">\d+ s</,
    );
    assert.match(table, /Mean network<\/th>(<td class="num muted">–<\/td>){3}/);
  });

  test("is not told to who does not see everybody's jobs: it is means over all of them", async () => {
    const org = box.directory.byName("default")!.id;
    const viewer = await somebody(box, { roles: { [org]: "viewer" } });
    const html = await (await viewer.get(page)).text();
    assert.match(html, /What the scheduler saw/);
    assert.ok(!html.includes("Instance, lately"));
  });
});
