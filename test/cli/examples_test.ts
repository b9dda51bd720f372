/** The example workflows, as their files say them; and one of them on two workers for real. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readWorkflowFile } from "../../src/cli/workflow_file/read.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { ADMIN_TOKEN, TestSystem } from "../support/system.ts";
import { ROOT, runCli } from "./run_cli.ts";

const PACKAGES = join(ROOT, "examples/packages.yaml");
const SELF_CHECK = join(ROOT, "examples/self-check.yaml");

describe("examples/packages.yaml", () => {
  test("names 40 packages that are installed, all of which the report waits for", () => {
    const { jobs } = readWorkflowFile(PACKAGES, {}).input;
    const packages = jobs.filter((job) => job.key !== "report").map((job) => job.key);
    assert.equal(packages.length, 40);
    for (const name of packages) {
      assert.ok(existsSync(join(ROOT, "node_modules", name, "package.json")), name);
    }
    const report = jobs.find((job) => job.key === "report");
    assert.deepEqual(report?.depends_on, packages);
  });
});

describe("examples/self-check.yaml", () => {
  test("checks format and types, and tests only what there is", () => {
    const { jobs } = readWorkflowFile(SELF_CHECK, {}).input;
    const keys = jobs.map((job) => job.key);
    for (const key of ["format", "types", "law", "test-core"]) assert.ok(keys.includes(key), key);
    const scripts = jobs.map((job) => (job.payload as { command: string[] }).command.at(-1) ?? "");
    const groups = scripts.flatMap((script) => /test\/run\.ts (\S+)\//.exec(script)?.[1] ?? []);
    assert.ok(groups.length >= 5);
    for (const group of groups) assert.ok(existsSync(join(ROOT, group)), group);
  });
});

describe("examples/packages.yaml on two workers that share nothing", () => {
  let database: TestDatabase;
  let system: TestSystem;
  before(async () => {
    database = await testDatabase();
    system = await TestSystem.create({ databaseUrl: database.url });
    await system.server();
    system.worker("alpha", 2);
    system.worker("beta", 2);
    await system.connected("alpha", "beta");
  });
  after(async () => {
    await system?.stop();
    await database?.drop();
  });

  test("succeeds on both, and its report joins what 40 jobs have found", async () => {
    const { code, stdout, stderr } = await runCli(["run", PACKAGES, "--follow", "--json"], {
      env: { SIGNALBOX_URL: system.client.url, SIGNALBOX_TOKEN: ADMIN_TOKEN },
    });
    assert.equal(code, 0, stderr);
    const { jobs, items } = JSON.parse(stdout) as {
      jobs: Record<string, string>;
      items: { worker: { name: string } }[];
    };
    const names = new Set(items.map((job) => job.worker.name));
    assert.deepEqual([...names].sort(), ["alpha", "beta"]);
    const report = await system.client.job(jobs.report as string);
    const { packages, files, bytes } = report.result as Record<string, number>;
    assert.equal(packages, 40);
    assert.ok(files! > 1_000 && bytes! > 10_000_000, `${files} files, ${bytes} bytes`);
    const measured = (await system.client.job(jobs.commander as string)).result;
    assert.equal((measured as { name: string }).name, "commander");
  });
});
