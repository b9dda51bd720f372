import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alertTestFiles, SCENARIOS } from "../../deploy/prometheus/alert_tests.ts";
import { expanding, PAUSED, seriesOf } from "../../deploy/prometheus/simulated_runs.ts";
import { ALERT_RULES } from "../../src/core/alerts/rules.ts";

/** As promtool reads it. */
function expanded(text: string): (number | null)[] {
  return text.split(" ").flatMap((part) => {
    const none = /^_x(\d+)$/.exec(part);
    if (none) return new Array<null>(Number(none[1])).fill(null);
    const [, from, step, times] = /^(\d+|Inf)([+-]\d+)x(\d+)$/.exec(part)!;
    const first = from === "Inf" ? PAUSED : Number(from);
    return Array.from({ length: Number(times) + 1 }, (_, n) => first + n * Number(step));
  });
}

describe("series that are made up for promtool", () => {
  test("are written shortly, and read as they were", () => {
    const mixed = [[0], [1, 1, 1], [0, 2, 4, 4, 3, 2, 9], [null, null, 5, null, 6]];
    for (const values of [...mixed, [300, 300, PAUSED, PAUSED, null, 60]]) {
      assert.deepEqual(expanded(expanding(values)), values);
    }
    assert.equal(expanding([null, null, 0, 3, 6, 6]), "_x2 0+3x2 6+0x0");
  });

  test("count up, minute by minute, and keep the time of the last success", () => {
    const series = seriesOf("a", 3, (minute) => (minute === 1 ? { succeeded: 2 } : { failed: 1 }));
    const of = (start: string) =>
      expanded(series.find((one) => one.series.startsWith(start))!.values);
    const runs = 'job_execution_total{organization="default",job_name="a"';
    assert.deepEqual(of(`${runs},status="success"`), [0, 2, 2, 2]);
    assert.deepEqual(of(`${runs},status="failed"`), [1, 1, 2, 3]);
    assert.deepEqual(of("job_last_success_timestamp_seconds"), [null, 60, 60, 60]);
    assert.deepEqual(of("job_last_failure_timestamp_seconds"), [0, 0, 120, 180]);
  });

  test("tell how often it is to run, and since when, once that is told", () => {
    const paces = [undefined, 300, PAUSED, 300];
    const series = seriesOf("a", 3, (minute) => ({ succeeded: 1, every: paces[minute]! }));
    const of = (metric: string) =>
      expanded(series.find((one) => one.series.startsWith(metric))!.values);
    assert.deepEqual(of("job_expected_interval_seconds"), [null, 300, PAUSED, 300]);
    assert.deepEqual(of("job_expected_since_timestamp_seconds"), [null, 60, null, 180]);
  });

  test("make each of the nine alerts fire, and end", () => {
    for (const { name } of ALERT_RULES) {
      const ends = SCENARIOS.some(({ looks }) => {
        const fires = looks.findIndex(({ firing }) => firing.includes(name));
        return fires >= 0 && looks.slice(fires).some(({ firing }) => !firing.includes(name));
      });
      assert.ok(ends, name);
    }
    assert.match(alertTestFiles()["prometheus/alerts_test.yml"]!, /a healthy fleet/);
  });
});
