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

interface Recorded {
  record: string;
  expr: string;
}

describe("alert rules for Prometheus", () => {
  const text = deployFiles()["prometheus/alerts.yml"]!;
  const all = parse(text).groups[0].rules as (PrometheusRule | Recorded)[];
  const rules = all.filter((rule) => "alert" in rule);
  const recorded = all.filter((rule) => "record" in rule);

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
    const source = ["job_metrics", "job_gauges"]
      .map((file) => readFileSync(new URL(`../../src/api/${file}.ts`, import.meta.url), "utf8"))
      .join();
    for (const { expr, ...rule } of all) {
      const alert = "alert" in rule ? rule.alert : rule.record;
      for (const [name] of expr.matchAll(/\bjob_(?!name)[a-z_]+/g)) {
        assert.ok(source.includes(name.replace(/_bucket$/, "")), `${alert} asks for ${name}`);
      }
      const open = [...expr].filter((letter) => letter === "(").length;
      assert.equal(open, [...expr].filter((letter) => letter === ")").length, alert);
      assert.ok(!/\+ rate|vector\(0\)/.test(expr), alert);
    }
  });

  test("ask for what was recorded before, and nothing is recorded that no rule asks for", () => {
    const asked = new Set<string>();
    for (const [at, { expr }] of all.entries()) {
      for (const [name] of expr.matchAll(/\bsignalbox:[\w:]+/g)) {
        asked.add(name);
        assert.ok(
          recorded.some((rule) => rule.record === name && all.indexOf(rule) < at),
          name,
        );
      }
    }
    assert.deepEqual(
      recorded.map(({ record }) => record).filter((name) => !asked.has(name)),
      [],
    );
  });
});
