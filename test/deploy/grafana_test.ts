/** What Grafana is given. Whether Prometheus understands the queries is tried by `npm run test:prometheus`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { deployFiles } from "../../deploy/files.ts";
import type { Panel } from "../../deploy/grafana/panels.ts";
import { THRESHOLDS } from "../../src/core/background/thresholds.ts";

interface Steps {
  steps: { color: string; value: number | null }[];
}
type Drawn = Panel & {
  fieldConfig: { defaults: { thresholds?: Steps }; overrides: object[] };
};

describe("the dashboard for Grafana", () => {
  const dashboard = JSON.parse(deployFiles()["grafana/background-jobs.json"]!);
  const panels = dashboard.panels as Drawn[];

  test("has the ten panels, without holes or overlaps in its 24 columns", () => {
    assert.deepEqual(
      [dashboard.uid, dashboard.refresh, dashboard.time.from, panels.length],
      ["background-jobs", "30s", "now-6h", 10],
    );
    const cells = new Set<string>();
    let [area, bottom] = [0, 0];
    for (const { gridPos } of panels) {
      area += gridPos.w * gridPos.h;
      bottom = Math.max(bottom, gridPos.y + gridPos.h);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) cells.add(`${x} ${y}`);
      }
    }
    assert.equal(cells.size, area);
    assert.equal(area, 24 * bottom);
  });

  test("asks in every query for what is chosen, and divides by nothing made up", () => {
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const asked = expr.match(/\bjob_[a-z_]+\{[^}]*\}/g) ?? [];
        assert.ok(asked.length > 0, title);
        for (const series of asked) {
          assert.match(series, /organization=~"\$organization", job_name=~"\$job_name"/, title);
        }
        assert.doesNotMatch(expr, /clamp|\+ 0\.|vector/, title);
      }
    }
  });

  test("colours by the limits of the board, in rising order", () => {
    const of = (title: string) =>
      panels.find((panel) => panel.title.startsWith(title))!.fieldConfig.defaults.thresholds!;
    const rate = THRESHOLDS.failure_rate;
    assert.deepEqual(of("Job Failure Rate").steps, [
      { color: "green", value: null },
      { color: "yellow", value: rate.warning },
      { color: "red", value: rate.bad },
    ]);
    const { warning, bad } = THRESHOLDS.success_rate;
    assert.deepEqual(of("Job Success Rate").steps, [
      { color: "red", value: null },
      { color: "yellow", value: bad },
      { color: "green", value: warning },
    ]);
    const text = JSON.stringify(panels);
    for (const [steps] of text.matchAll(/"steps":\[\{[^\]]*\]/g)) {
      const values = [...steps.matchAll(/"value":([\d.]+)/g)].map((found) => Number(found[1]));
      assert.deepEqual(
        values,
        values.toSorted((a, b) => a - b),
      );
    }
  });
});

describe("the example for Prometheus", () => {
  const file = new URL("../../deploy/prometheus/prometheus.yml", import.meta.url);
  const config = parse(readFileSync(file, "utf8"));

  test("scrapes /metrics with a token out of a file, and reads the rules beside it", () => {
    const [job] = config.scrape_configs;
    assert.equal(job.metrics_path, "/metrics");
    assert.deepEqual(job.authorization, {
      type: "Bearer",
      credentials_file: "signalbox-token",
    });
    assert.deepEqual(config.rule_files, ["alerts.yml"]);
  });
});
