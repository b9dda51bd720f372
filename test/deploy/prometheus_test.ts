import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { deployFiles } from "../../deploy/files.ts";
import { ALERT_RULES } from "../../src/core/alerts/rules.ts";

interface PrometheusRule {
  alert: string;
  expr: string;
  for: string;
  annotations: { runbook: string };
}

describe("alert rules for Prometheus", () => {
  const text = deployFiles()["prometheus/alerts.yml"]!;
  const rules = parse(text).groups[0].rules as PrometheusRule[];

  test("are up to date (else run: bun run deploy:generate)", () => {
    for (const [path, made] of Object.entries(deployFiles())) {
      const found = readFileSync(new URL(`../../deploy/${path}`, import.meta.url), "utf8");
      assert.equal(found, made, `deploy/${path} is out of date: bun run deploy:generate`);
    }
  });

  test("are those that Signalbox itself evaluates, with runbooks that are there", () => {
    assert.deepEqual(
      rules.map(({ alert }) => alert),
      ALERT_RULES.map(({ name }) => name),
    );
    for (const { annotations } of rules) {
      readFileSync(new URL(`../../${annotations.runbook}`, import.meta.url));
    }
  });

  test("ask for metrics that /metrics has, match sides by the same labels, and close what they open", () => {
    const source = readFileSync(new URL("../../src/api/job_metrics.ts", import.meta.url), "utf8");
    for (const { alert, expr } of rules) {
      for (const [name] of expr.matchAll(/\bjob_(?!name)[a-z_]+/g)) {
        assert.ok(source.includes(name.replace(/_bucket$/, "")), `${alert} asks for ${name}`);
      }
      const open = [...expr].filter((letter) => letter === "(").length;
      assert.equal(open, [...expr].filter((letter) => letter === ")").length, alert);
      assert.ok(!/\+ rate|vector\(0\)/.test(expr), alert);
    }
  });
});
