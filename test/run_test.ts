/** The test runner must not call a run good that was not. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually } from "./support/eventually.ts";
import { isRunning } from "./support/processes.ts";
import { runTestFile, type TestRuntime } from "./support/test_process.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-run-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const HEAD = 'import { test } from "node:test"; import assert from "node:assert/strict";\n';

async function run(body: string, runtime: TestRuntime = "bun", limitMs = 20_000) {
  await writeFile(join(folder, "planted_test.ts"), HEAD + body);
  const { output, ...result } = await runTestFile(
    { path: "planted_test.ts", runtime },
    folder,
    limitMs,
  );
  return { ...result, output };
}

const RUNTIMES: TestRuntime[] = ["bun", "deno"];

for (const runtime of RUNTIMES) {
  test(`passed and failed tests are counted (${runtime})`, async () => {
    const result = await run(
      'test("a", () => {}); test("b", () => {}); test("c", () => assert.equal(1, 2));',
      runtime,
    );
    assert.equal(result.passed, 2);
    assert.equal(result.failed, 1);
    assert.deepEqual(result.faults, []);
  });

  test(`a skipped test is a fault (${runtime})`, async () => {
    const body = 'test("a", () => {}); test("b", { skip: true }, () => {}); test.todo("c");';
    const { failed, faults } = await run(body, runtime);
    assert.equal(failed, 0);
    assert.match(faults.join(), /^2 skipped/);
  });

  test(`a file without a test is a fault (${runtime})`, async () => {
    assert.notDeepEqual((await run("assert.ok(true);", runtime)).faults, []);
  });
}

test("a file that does not load is a fault", async () => {
  const { passed, failed, faults } = await run('import "./missing.ts"; test("a", () => {});');
  assert.equal(passed, 0);
  assert.ok(failed + faults.length > 0);
});

test("a process that just exits is a fault", async () => {
  assert.match((await run('test("a", () => {}); process.exit(0);')).faults.join(), /no test ran/);
});

test("what does not end is killed with all it started, and is a fault", async () => {
  const body = `import { spawn } from "node:child_process";
    console.log("child", spawn("sleep", ["1000"], { stdio: "ignore" }).pid);
    test("a", () => new Promise(() => setInterval(() => {}, 1000)));`;
  const { faults, output } = await run(body, "bun", 1_000);
  assert.match(faults.join(), /did not end within 1 s/);
  const pid = Number(/child (\d+)/.exec(output)?.[1]);
  await eventually(() => !isRunning(pid), "the child ends with its test");
});

test("a test takes no setting from whoever runs it", async () => {
  process.env.SIGNALBOX_PORT = "1";
  process.env.DATABASE_URL = "postgres://elsewhere";
  const body = `test("a", () => {
    assert.equal(process.env.SIGNALBOX_PORT, undefined);
    assert.equal(process.env.DATABASE_URL, undefined);
  });`;
  const { passed, faults } = await run(body);
  assert.equal(passed, 1);
  assert.deepEqual(faults, []);
});
