/** The page of the cache where there is none yet, on a server that nothing has happened on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Browsing, somebody } from "../support/accounts/people.ts";
import { V1 } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";
import { chartIn, figureIn } from "../support/metrics/read_page.ts";

let box: BoardBox;
let member: Browsing;
before(async () => {
  box = await boardBox({ engine: { rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 } });
  const org = box.directory.byName("default")!.id;
  member = await somebody(box, { roles: { [org]: "viewer" } });
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const RANGES = { "15m": 16, "24h": 25, "7d": 169, "90d": 91 };

test("its history is zero in every bucket, and the page says why", async () => {
  for (const get of [(path: string) => box.get(path), member.get]) {
    for (const [range, most] of Object.entries(RANGES)) {
      const html = await (await get(`/board/cache?range=${range}`)).text();
      assert.match(html, /No binary cache is served here yet\. Every figure of it is 0 until/);
      assert.doesNotMatch(html, /Nothing is known of this time/);
      for (const [figure, zero] of [
        ["sent", "0 B"],
        ["requests", "0"],
        ["added", "0 B"],
      ] as const) {
        assert.equal(figureIn(html, figure), zero);
      }
      for (const id of ["traffic", "requests", "growth"]) {
        const [values] = [...chartIn(html, id).values.values()] as [number[]];
        assert.ok(values.length === most || values.length === most - 1, `${values.length} buckets`);
        assert.deepEqual(
          values,
          values.map(() => 0),
          id,
        );
      }
      assert.equal(html.split("No binary cache is served here yet.").length - 1, 4);
    }
  }
});

test("what left it is zero on the page of the network, too", async () => {
  for (const get of [(path: string) => box.get(path), member.get]) {
    const html = await (await get("/board/network")).text();
    const values = chartIn(html, "egress").values.get("Sent")!;
    assert.deepEqual(
      values,
      values.map(() => 0),
    );
    assert.match(html, /No binary cache is served here yet, so nothing has left it/);
  }
});

test("it is zero in JSON, which says that there is none", async () => {
  const { json } = await box.call("GET", `${V1}/board/cache`);
  assert.equal(json.served, false);
  assert.deepEqual(json.totals, { bytes_sent: 0, bytes_added: 0, requests: 0 });
  for (const { bytes_sent, bytes_added, requests } of json.points)
    assert.deepEqual([bytes_sent, bytes_added, requests], [0, 0, 0]);
  const query = await box.call("GET", `${V1}/metrics/query?metric=cache.requests`);
  for (const { count, sum } of query.json.points) assert.deepEqual([count, sum], [0, 0]);
});
