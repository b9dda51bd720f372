/** Charts of background jobs say and show when an alert fired that is about what they draw. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleName } from "../../../src/core/alerts/rules.ts";
import { withAlerts } from "../../../src/pages/background/charts.ts";
import type { AlertSpan } from "../../../src/web/alerts/marks.ts";
import type { TimeChart } from "../../../src/web/charts/chart.ts";
import { chartData } from "../../../src/web/charts/option.ts";

const chart = (id: string): TimeChart => ({
  ...{ kind: "time", id, title: "A chart", sentence: "What it is.", unit: "count", empty: "" },
  ...{ start: 0, step: 60_000, running: null },
  lines: [{ name: "a", values: [1, 2], style: "line", tone: "plain" }],
});
const span = (rule: RuleName, job: string, over: Partial<AlertSpan> = {}): AlertSpan => ({
  ...{ rule, severity: "warning", org: "acme", job_name: job, from: 1, to: 2 },
  ...over,
});

test("a chart is shaded where an alert of its own figures fired, in the colour of its severity", () => {
  const spans = [
    span("BackgroundJobFailing", "a"),
    span("BackgroundJobCriticalDuration", "b", { severity: "critical" }),
  ];
  const rates = withAlerts(chart("rates"), spans);
  assert.deepEqual(rates.shaded, [{ from: 1, to: 2, tone: "warn" }]);
  assert.equal(rates.sentence, "What it is. Shaded: an alert fired (BackgroundJobFailing of a).");
  assert.deepEqual(withAlerts(chart("durations"), spans).shaded, [{ from: 1, to: 2, tone: "bad" }]);
  assert.deepEqual(chartData(rates).shaded, rates.shaded);
});

test("a chart of something else, and one without alerts, stay as they are", () => {
  const items = chart("items");
  assert.equal(withAlerts(items, [span("BackgroundJobFailing", "a")]), items);
  assert.equal(withAlerts(items, []), items);
  assert.equal("shaded" in chartData(items), false);
});

test("many alerts are counted instead of named", () => {
  const jobs = ["a", "b", "c", "d", "e"];
  const { sentence, shaded } = withAlerts(
    chart("queues"),
    jobs.map((job) => span("BackgroundJobQueueGrowing", job)),
  );
  assert.match(sentence, /of a, BackgroundJobQueueGrowing of b, .* of c, 2 more\)\.$/);
  assert.equal(shaded!.length, 5);
});
