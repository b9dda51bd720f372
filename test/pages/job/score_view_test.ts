import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contextRows } from "../../../src/pages/job/context_view.ts";
import { scoreModel, termRows } from "../../../src/pages/job/score_view.ts";

const term = (rule: string, contribution: number) => ({
  rule,
  contribution,
  weight: 1,
  help: "",
  formula: "",
});

describe("a score", () => {
  test("stands in bars on both sides of zero, the strongest first", () => {
    const rows = termRows([term("a_rule", 10), term("b", 0), term("c", -100), term("d", 0.001)]);
    assert.deepEqual(
      rows.map((row) => [row.label, row.value, row.sign, row.x, row.width]),
      [
        ["C", "−100.00", "minus", 2, 98],
        ["A rule", "+10.00", "plus", 100, 10],
        ["D", "0.00", "zero", 100, 0],
        ["B", "0.00", "zero", 100, 0],
      ],
    );
  });

  test("without any term, or of nothing but zeros, is still a table", () => {
    assert.deepEqual(termRows([]), []);
    assert.equal(termRows([term("a", 0)])[0]!.width, 0);
  });

  test("says what was passed over and by how much", () => {
    const model = scoreModel({
      attempt: 1,
      worker: { id: "w", name: "ada" },
      score: 12.5,
      terms: [],
      considered: 1,
      candidates: [{ job: "00000000-0000-7000-8000-0000deadbeef", name: null, score: 10 }],
      contexts: { worker: null, job: null, instance: null },
    });
    assert.equal(model.total, "12.50");
    assert.equal(model.considered, "1 pair");
    assert.deepEqual(model.candidates[0], {
      id: "00000000-0000-7000-8000-0000deadbeef",
      shortId: "deadbeef",
      name: "a job that is gone",
      score: "10.00",
      behind: "−2.50",
    });
  });
});

describe("a frozen context", () => {
  test("becomes rows with units, whatever the spelling of its keys", () => {
    const rows = contextRows({
      ram_free_mb: 22_528,
      cpu_pct: 12.34,
      disk_mbps: 510,
      networkMbps: 940,
      averages: { waitSeconds: 27, cpuMs: 1_200, diskBytes: 0 },
      history: { oomRate: 0.125, samples: 12_345 },
      features: ["kvm", "gpu"],
      requirements: {},
      contended: false,
      system: "x86_64-linux",
    });
    assert.deepEqual(
      rows.map((row) => [row.label, row.value]),
      [
        ["RAM free", "22 GiB"],
        ["CPU", "12.3 %"],
        ["Disk", "510 MB/s"],
        ["Network", "940 Mbit/s"],
        ["Mean wait", "27 s"],
        ["Mean CPU", "1.2 s"],
        ["Mean disk", "0 B"],
        ["History OOM rate", "12.5 %"],
        ["History samples", "12,345"],
        ["Features", "kvm, gpu"],
        ["Requirements", "none"],
        ["Contended", "no"],
        ["System", "x86_64-linux"],
      ],
    );
  });

  test("tells unknown from zero, and is empty where there is none", () => {
    assert.deepEqual(contextRows({ cpu_pct: null }), [
      { label: "CPU", value: "unknown", unknown: true },
    ]);
    assert.deepEqual(contextRows(null), []);
  });
});
