/** Every number of the page of the costliest jobs against plain SQL over the attempts. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bytes, decimal, duration } from "../../src/web/format.ts";
import { type Asker, type ChartBox, chartBox, drawn } from "../support/metrics/chart_box.ts";
import { type Costly, costliest, tellWhere } from "../support/metrics/costliest.ts";
import { chartIn } from "../support/metrics/read_page.ts";

const MIB = 1024 * 1024;
const WRITTEN: Record<string, (value: number) => string> = {
  longest: duration,
  ram: (value) => bytes(value * MIB),
  cpu: duration,
  disk: bytes,
  network: (value) => `${decimal(value, 1)} Mbit/s`,
};
let box: ChartBox;
before(async () => {
  box = await chartBox({ n: 500, seed: 37 }, (_, sql) => tellWhere(sql));
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const askers = (): Asker[] => [box.superuser, box.member];

/** The days that the page says it is of. */
function daysIn(html: string): { from: string; to: string } {
  const [, from, to = from] =
    /ended on the days? (?:from )?(\d{4}-\d\d-\d\d)(?: to (\d{4}-\d\d-\d\d))?, in UTC/.exec(html)!;
  return { from: from!, to: to! };
}

function rowsIn(html: string): string[][] {
  const table = /<section class="card ranking".*?<tbody>(.*?)<\/tbody>/s.exec(html)?.[1] ?? "";
  return [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => [
    /href="([^"]*)"/.exec(row!)![1]!,
    ...[...row!.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell]) =>
      cell!.replaceAll(/<[^>]*>/g, "").trim(),
    ),
  ]);
}

const rowOf = (one: Costly, at: number, measure: string) => [
  `/board/jobs/${one.job}?attempt=${one.attempt}`,
  ...[String(at + 1), one.name, WRITTEN[measure]!(one.value), one.queue, one.org],
  ...[one.worker?.name ?? "–", String(one.attempt)],
  `${one.ended_at.slice(0, 16).replace("T", " ")} UTC`,
];

describe("the page of the costliest jobs", () => {
  test("shows of each measure the attempts that took the most, with all that stands beside them", async () => {
    for (const asker of askers()) {
      for (const [measure, range] of [
        ...Object.keys(WRITTEN).map((one) => [one, "7d"]),
        ["cpu", "24h"],
        ["ram", "1h"],
      ] as [string, string][]) {
        const html = await box.page(`/board/jobs?tab=${measure}&range=${range}`, asker);
        const exact = await costliest(box.sql, measure, { ...asker, ...daysIn(html) });
        assert.deepEqual(
          rowsIn(html),
          exact.map((one, at) => rowOf(one, at, measure)),
          `${measure} in ${range} for ${asker.who}`,
        );
        if (range === "7d") assert.equal(exact.length, 20);
      }
    }
  });

  test("is narrowed to an organization, a queue or a name", async () => {
    const narrow = {
      "org=acme": "o.name = 'acme'",
      "queue=night": "q.name = 'night'",
      "name=build": "n.name = 'build'",
    };
    for (const asker of askers()) {
      for (const [words, where] of Object.entries(narrow)) {
        const html = await box.page(`/board/jobs?tab=disk&range=30d&${words}`, asker);
        const exact = await costliest(box.sql, "disk", { ...asker, ...daysIn(html), where });
        assert.deepEqual(
          rowsIn(html),
          exact.map((one, at) => rowOf(one, at, "disk")),
          words,
        );
      }
    }
  });

  test("shows superusers how long each organization's attempts ran, and members nothing of it", async () => {
    const to = new Date();
    for (const [days, unit] of [
      [1, "hour"],
      [90, "day"],
    ] as const) {
      const from = new Date(to.getTime() - days * 86_400_000);
      const span = `from=${from.toISOString()}&to=${to.toISOString()}`;
      const html = await box.page(`/board/jobs?tab=longest&${span}`, box.superuser);
      const chart = chartIn(html, "orgs");
      const exact = await box.sql`
        select o.name, sum(run_ms) as ms from dispatched_job d join org o on o.id = d.org_id
        where outcome = 'succeeded' and run_ms is not null
          and ended_at >= date_trunc(${unit}, ${from}::timestamptz, 'UTC')
          and ended_at < date_trunc(${unit}, ${to}::timestamptz, 'UTC') + ('1 ' || ${unit})::interval
        group by 1 order by 2 desc`;
      assert.deepEqual(
        (chart.option.yAxis as { data: string[] }).data,
        exact.map(({ name }) => name),
      );
      for (const [at, value] of chart.values.get("Run time")!.entries())
        assert.ok(Math.abs(value! - drawn(exact[at]!.ms)!) <= value! * 1e-3);
    }
    const own = await box.page("/board/jobs?tab=longest", box.member);
    assert.doesNotMatch(own, /data-chart="orgs"/);
  });

  test("says so where there is nothing, and from which day on there is anything", async () => {
    const html = await box.page("/board/jobs?tab=cpu&from=2024-01-01&to=2024-01-03", box.superuser);
    assert.deepEqual(daysIn(html), { from: "2024-01-01", to: "2024-01-02" });
    assert.match(html, /No attempt of these days has this figure/);
    const [row] = await box.sql`
      select to_char(min(ended_at at time zone 'UTC'), 'YYYY-MM-DD') as day from dispatched_job where run_ms > 0`;
    assert.ok(html.includes(`Nothing is kept of days before ${row!.day}.`));
  });
});
