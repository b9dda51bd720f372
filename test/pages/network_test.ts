/** Every figure of the pages of the network and of the cache, against plain SQL and counted requests. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type FleetBox, fleetBox } from "../support/metrics/fleet_box.ts";
import { chartOf, figureOf, printed, tableRows } from "../support/metrics/printed_charts.ts";

let box: FleetBox;
before(async () => {
  box = await fleetBox();
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const rows = (text: string) => box.database.reads.unsafe(text);

describe("the page of the network", () => {
  test("tells mean and peak of each worker that is seen, in the unit of each", async () => {
    for (const { get, sees, who } of box.lookers) {
      const html = await (await get(`/board/network?${box.query}`)).text();
      const units = { network: "megabits_per_second", disk: "megabytes_per_second" };
      for (const [id, unit] of Object.entries(units)) {
        const found = await rows(`
          select w.name, avg(s.${id}_mbps::float8) as mean, max(s.${id}_mbps)::float8 as peak
          from worker_sample s join worker w on w.id = s.worker_id
          where s.at < '${box.to.toISOString()}' and ${sees === "true" ? "true" : `s.${sees}`}
          group by 1 order by 2 desc`);
        const { labels, lines, unit: drawn } = chartOf(html, id);
        assert.equal(drawn, unit);
        assert.deepEqual(
          labels.map((label, at) => [label, lines.Mean![at], lines.Peak![at]]),
          found.map((row) => [row.name, printed(row.mean), printed(row.peak)]),
          `${who} ${id}`,
        );
      }
    }
  });

  test("tells superusers how often each route was answered, and how it went wrong", async () => {
    const asked = "/board/audit";
    const before = box.traffic.figures().find((one) => one.route === asked)?.requests ?? 0;
    for (let n = 0; n < 3; n += 1) await box.get(asked);
    await box.get("/board/jobs/00000000-0000-7000-8000-000000000000");
    await box.call("GET", "/api/v1/jobs/00000000-0000-7000-8000-000000000000");
    const html = await (await box.get("/board/network?sort=route")).text();
    const table = tableRows(html, "routes");
    const of = (route: string) => table.find((row) => row[1] === route)!;
    assert.equal(of(asked)[2], String(before + 3));
    assert.deepEqual(
      [of("/board/jobs/{id}")[5], of("/api/v1/jobs/{id}")[5]],
      ["1 (100 %)", "1 (100 %)"],
    );
    const routes = table.map((row) => row[1]!);
    assert.deepEqual(
      routes,
      routes.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    const busiest = tableRows(await (await box.get("/board/network")).text(), "routes");
    const counts = busiest.map((row) => Number(row[2]!.replaceAll(",", "")));
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => b - a),
    );
    assert.match(html, /aria-sort="ascending"><a href="\/board\/network\?sort=route#http">Route/);
  });

  test("tells nobody else of routes", async () => {
    const html = await (await box.member.get("/board/network")).text();
    assert.equal(html.includes("Answers by route"), false);
    assert.deepEqual(tableRows(html, "routes"), []);
  });
});

describe("what there is no cache for", () => {
  test("is said on both pages, and every figure is 0", async () => {
    for (const { get } of box.lookers) {
      const network = await (await get(`/board/network?${box.query}`)).text();
      assert.ok(network.includes("No binary cache is served here yet"));
      const html = await (await get(`/board/cache?${box.query}`)).text();
      assert.ok(html.includes("No binary cache is served here yet. Every figure of it is 0"));
      const figures = ["sent", "requests", "added"].map((id) => figureOf(html, id));
      assert.deepEqual(figures, ["0 B", "0", "0 B"]);
      for (const id of ["traffic", "requests", "growth"]) {
        const [values] = Object.values(chartOf(html, id).lines);
        assert.deepEqual(values, Array(24).fill(0), id);
      }
    }
  });
});
