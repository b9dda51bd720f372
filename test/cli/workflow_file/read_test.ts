import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { UsageError } from "../../../src/cli/errors.ts";
import { readWorkflowFile } from "../../../src/cli/workflow_file/read.ts";
import { workflowInput } from "../../../src/messages/job_input.ts";
import { ClientError } from "../../../src/sdk/client_error.ts";

function read(text: string, vars: Record<string, string> = {}, file = "build.yaml") {
  return readWorkflowFile(file, vars, text).input;
}

function wrong(text: string, vars: Record<string, string> = {}): string {
  try {
    read(text, vars);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  return assert.fail("it was accepted");
}

const payloadOf = (text: string, vars = {}) => read(text, vars).jobs[0]?.payload;

describe("a workflow file", () => {
  test("in YAML or JSON is the API's input, with its own fields as they are", () => {
    const input = {
      name: "build",
      jobs: [
        { key: "a", name: "compile", payload: { command: ["make"] }, max_attempts: 2 },
        { key: "b", name: "test", payload: { command: ["make", "test"] }, depends_on: ["a"] },
      ],
    };
    assert.deepEqual(read(JSON.stringify(input, null, 2), {}, "b.json"), input);
  });

  test("needs little: names come from the keys and from the file", () => {
    const input = read("jobs:\n  - { key: one, run: echo hi }\n", {}, "/x/My build.yml");
    assert.equal(input.name, "My-build");
    assert.equal(input.jobs[0]?.name, "one");
    assert.ok(workflowInput.safeParse(input).success);
  });

  test("runs a shell that stops at the first error, or a command without one", () => {
    assert.deepEqual(payloadOf("jobs: [{ key: a, run: 'make && x' }]"), {
      command: ["sh", "-e", "-c", "make && x"],
    });
    assert.deepEqual(payloadOf("jobs: [{ key: a, command: [head, -n, 3, true], stdin: x }]"), {
      command: ["head", "-n", "3", "true"],
      stdin: "x",
    });
  });

  test("gives each job the defaults that it does not say otherwise", () => {
    const text = `
defaults: { queue: builds, timeout_seconds: 60, env: { A: 1, B: 2 }, run: make }
jobs:
  - { key: a }
  - { key: b, queue: other, env: { B: 3 }, command: [ls] }
`;
    const [a, b] = read(text).jobs;
    assert.equal(a?.queue, "builds");
    assert.deepEqual(a?.payload, { command: ["sh", "-e", "-c", "make"], env: { A: "1", B: "2" } });
    assert.equal(b?.queue, "other");
    assert.equal(b?.timeout_seconds, 60);
    assert.deepEqual(b?.payload, { command: ["ls"], env: { A: "1", B: "3" } });
  });

  test("gives its vars to every job as variables, so that no value is ever run", () => {
    const text = "vars: { V: default }\njobs: [{ key: a, run: 'echo \"$V\"' }]";
    const nasty = `"; rm -rf / #$(x) 'y'`;
    assert.deepEqual(payloadOf(text, { V: nasty }), {
      command: ["sh", "-e", "-c", 'echo "$V"'],
      env: { V: nasty },
    });
    assert.deepEqual((payloadOf(text) as { env: object }).env, { V: "default" });
  });

  test("knows the repository it lies in as WORKSPACE, where it asks for it", () => {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-workspace-"));
    mkdirSync(join(folder, ".git"));
    mkdirSync(join(folder, "ci/deep"), { recursive: true });
    const file = join(folder, "ci/deep/build.yaml");
    const text = "vars: { WORKSPACE: }\njobs: [{ key: a, run: pwd }]";
    writeFileSync(file, text);
    const { input } = readWorkflowFile(file, {});
    assert.deepEqual(input.jobs[0]?.payload, {
      command: ["sh", "-e", "-c", "pwd"],
      env: { WORKSPACE: folder },
    });
    const given = readWorkflowFile(file, { WORKSPACE: "/srv" }).input.jobs[0]?.payload;
    assert.deepEqual((given as { env: object }).env, { WORKSPACE: "/srv" });
    assert.equal((payloadOf("jobs: [{ key: a, run: pwd }]") as { env?: object }).env, undefined);
    rmSync(folder, { recursive: true });
  });

  test("of handlers carries any payload and no vars", () => {
    const text = "vars: { V: 1 }\njobs: [{ key: a, kind: handler, payload: [1, { x: 2 }] }]";
    assert.deepEqual(payloadOf(text), [1, { x: 2 }]);
    assert.match(wrong("jobs: [{ key: a, kind: handler, run: x }]"), /jobs\[0\]\.run: is for exec/);
  });

  test("may share parts by YAML's anchors", () => {
    const text = `
x: &slow { timeout_seconds: 600 }
jobs:
  - { <<: *slow, key: a, run: make }
`;
    assert.match(wrong(text), /build\.yaml:1:1.*x|Unrecognized key.*x/);
    const inside = `
jobs:
  - &base { key: a, run: make, timeout_seconds: 600 }
  - { <<: *base, key: b }
`;
    assert.equal(read(inside).jobs[1]?.timeout_seconds, 600);
  });
});

describe("what is wrong in a workflow file", () => {
  test("is told with line, column and path", () => {
    const text = "name: x\njobs:\n  - key: a\n    run: make\n    queue: Not A Queue\n";
    assert.match(wrong(text), /^build\.yaml:5:12: jobs\[0\]\.queue: must be 1 to 63/);
  });

  test("is told where the file says it, not where the API would", () => {
    assert.match(wrong("jobs:\n- key: a\n  command: []\n"), /:3:12: jobs\[0\]\.command: /);
    assert.match(wrong("jobs:\n- key: a\n  command: {}\n"), /:3:12: jobs\[0\]\.command: /);
    assert.match(wrong("jobs:\n- key: a\n  run: x\n  env: { 1-2: x }\n"), /:4:\d+: jobs\[0\]\.env/);
    assert.match(wrong("jobs:\n- key: 'a b'\n  run: x\n"), /:2:8: jobs\[0\]\.key/);
    assert.match(
      wrong("defaults:\n  queue: A\njobs: [{ key: a, run: x }]"),
      /:2:10: defaults\.queue/,
    );
    assert.match(wrong("vars:\n  V:\njobs: [{ key: a, run: x }]"), /vars\.V: .*--var V=VALUE/);
    assert.match(wrong("vars:\n  1V: x\njobs: [{ key: a, run: x }]"), /:2:7: vars\.1V/);
  });

  test("is told for every job at once, but not for ever", () => {
    const jobs = Array.from({ length: 30 }, (_, n) => `  - { key: k${n}, run: x, queue: "?" }`);
    const lines = wrong(`jobs:\n${jobs.join("\n")}`).split("\n");
    assert.equal(lines.length, 11);
    assert.match(lines[10] as string, /20 more/);
  });

  test("includes keys that are unknown, twice there, or wait for each other", () => {
    const job = (key: string, on: string) => `- { key: ${key}, run: x, depends_on: [${on}] }`;
    const list = (...jobs: string[]) => `jobs:\n${jobs.join("\n")}`;
    assert.match(wrong(list(job("a", "b"))), /:2:\d+: jobs\[0\]\.depends_on\[0\]: .*"b"/);
    assert.match(wrong(list(job("a", ""), job("a", ""))), /:3:\d+: jobs\[1\]\.key: .*"a"/);
    const cycle = wrong(list(job("a", "c"), job("b", "a"), job("c", "b")));
    assert.match(cycle, /"a".*"b"/);
    assert.match(wrong(list(job("a", "a"))), /depends on itself/);
  });

  test("includes jobs that do nothing, or two things", () => {
    assert.match(wrong("jobs: [{ key: a }]"), /jobs\[0\]: does nothing/);
    assert.match(wrong("jobs: [{ key: a, run: x, command: [y] }]"), /stands beside `run`/);
    assert.match(wrong("jobs: [{ key: a, run: [x] }]"), /jobs\[0\]\.run: must be a text/);
    assert.match(wrong("jobs: [{ key: a, rum: x, run: y }]"), /rum/);
    assert.match(wrong("jobs: {}"), /jobs: must be a list/);
    assert.match(wrong("- a\n- b"), /:1:1: a workflow is a mapping/);
    assert.match(wrong(""), /a workflow is a mapping/);
    assert.match(wrong("jobs: [x]"), /jobs\[0\]/);
    assert.match(wrong("jobs: []\ndefaults: { key: a }"), /defaults\.key: belongs to one job/);
  });

  test("includes values for vars that the file does not have", () => {
    assert.match(wrong("jobs: [{ key: a, run: x }]", { V: "1" }), /--var V is not among .*none/);
  });

  test("includes text that is no YAML", () => {
    assert.match(wrong("jobs:\n  - a: [1,\n"), /^build\.yaml:\d+:\d+: /);
    assert.match(wrong("a: 1\na: 2\n"), /^build\.yaml:2:1: .*unique/);
    assert.match(wrong("a: *none\n"), /none/);
    const bomb = `a: &a [x, x]\n${Array.from({ length: 26 }, (_, n) => {
      const [name, before] = [`b${n}`, n === 0 ? "a" : `b${n - 1}`];
      return `${name}: &${name} [*${before}, *${before}]`;
    }).join("\n")}`;
    assert.match(wrong(bomb), /alias/i);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        assert.match(wrong(text), /^build\.yaml:\d+:\d+: /);
      }),
    );
  });

  test("and that only the server knows, is told on its line too", () => {
    const text =
      "jobs:\n  - key: a\n    run: x\n    depends_on: [{ job: 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e }]\n";
    const { explainRefusal } = readWorkflowFile("b.yaml", {}, text);
    const refusal = new ClientError("no", 422, {
      title: "Invalid",
      status: 422,
      errors: [{ path: "/jobs/0/depends_on/0", in: "body", message: "There is no such job." }],
    });
    assert.match(
      explainRefusal(refusal).message,
      /^b\.yaml:4:18: jobs\[0\]\.depends_on\[0\]: There/,
    );
    const other = new ClientError("no", 401);
    assert.equal(explainRefusal(other), other);
  });

  test("is said in a sentence for files that cannot be read", () => {
    assert.throws(() => readWorkflowFile("/no/such/file.yaml", {}), /no such file/);
    assert.throws(() => readWorkflowFile("/", {}), /cannot be read: EISDIR/);
  });
});
