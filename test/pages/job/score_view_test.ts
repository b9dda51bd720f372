import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contextRows, windowRows } from "../../../src/pages/job/context_view.ts";
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

  test("shows the windows of the instance side by side, in units that people read", () => {
    const context = {
      pending: 3,
      // As the database gives them back: in an order of its own.
      windows: {
        ram_mb: { w1h: 1_536, w5m: null, w24h: 2_048 },
        cpu_ms: { w1h: 9_000, w5m: 85, w24h: 75_000 },
        completed: { w1h: 1_234, w5m: 0, w24h: 56_789 },
        wait_seconds: { w1h: 27, w5m: 0.4, w24h: 90 },
        failure_share: { w1h: 0.025, w5m: null, w24h: 0 },
        disk_bytes: { w1h: 1_048_576, w5m: null, w24h: 0 },
        network_mbps: { w1h: 94, w5m: null, w24h: 88.5 },
      },
    };
    assert.deepEqual(
      windowRows(context).map(({ label, cells }) => [label, ...cells.map(({ value }) => value)]),
      [
        ["Jobs completed", "0", "1,234", "56,789"],
        ["Of these failed", "–", "2.5 %", "0 %"],
        ["Mean wait in line", "400 ms", "27 s", "1 m 30 s"],
        ["Mean CPU time", "85 ms", "9.0 s", "1 m 15 s"],
        ["Mean peak RAM", "–", "1.5 GiB", "2 GiB"],
        ["Mean disk", "–", "1 MiB", "0 B"],
        ["Mean network", "–", "94 Mbit/s", "88.5 Mbit/s"],
      ],
    );
    assert.equal(windowRows(context)[1]!.cells[0]!.unknown, true);
    assert.deepEqual(
      contextRows(context).map(({ label }) => label),
      ["Pending"],
    );
  });

  test("of a dispatch before there were windows shows none", () => {
    assert.deepEqual(windowRows({ pending: 1 }), []);
    assert.deepEqual(windowRows(null), []);
  });
});
