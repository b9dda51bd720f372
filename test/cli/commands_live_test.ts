/** The command line against a real server with a real worker. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Explanation, Job } from "../../src/sdk/answers.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { ADMIN_TOKEN, TestSystem } from "../support/system.ts";
import { type CliOptions, runCli, startCli } from "./run_cli.ts";

let database: TestDatabase;
let system: TestSystem;

before(async () => {
  database = await testDatabase();
  system = await TestSystem.create({ databaseUrl: database.url });
  await system.server();
  system.worker("alpha", 4);
  await system.connected("alpha");
});
after(async () => {
  await system?.stop();
  await database?.drop();
});

function settings(options: CliOptions): CliOptions {
  const env = { SIGNALBOX_URL: system.client.url, SIGNALBOX_TOKEN: ADMIN_TOKEN, ...options.env };
  return { cwd: system.folder, ...options, env };
}
const run = (args: string[], options: CliOptions = {}) => runCli(args, settings(options));
const sh = (script: string, ...flags: string[]) =>
  run(["submit", "--follow", ...flags, "--", "sh", "-c", script]);

describe("submit --follow", () => {
  test("prints what the job writes, in order, and nothing else", async () => {
    const result = await sh("echo out; echo err >&2; printf 'no end'");
    assert.deepEqual(result, { code: 0, stdout: "out\nerr\nno end", stderr: "" });
  });

  test("ends as the job does", async () => {
    const scripts: [string, number, RegExp][] = [
      ["exit 3", 3, /sh failed with exit code 3/],
      ["kill -SEGV $$", 139, /ended by SIGSEGV/],
      ["kill -KILL $$", 137, /ended by SIGKILL/],
    ];
    const ends = await Promise.all(scripts.map(([script]) => sh(script)));
    for (const [at, { code, stderr }] of ends.entries()) {
      assert.equal(code, scripts[at]![1], stderr);
      assert.match(stderr, scripts[at]![2]);
    }
    const missing = await run(["submit", "--follow", "--", "/no/such/program"]);
    assert.ok([125, 126, 127].includes(missing.code ?? 0), `${missing.code} ${missing.stderr}`);
    assert.match(missing.stderr, /no\/such\/program|not found|ENOENT/);
  });

  test("goes through every attempt", async () => {
    const { id } = await system.client.submit({
      name: "flaky",
      max_attempts: 2,
      // Long enough for the command to come up between the attempts at the latest.
      backoff: { base_seconds: 4, factor: 1, max_seconds: 4 },
      payload: {
        command: ["sh", "-c", 'echo "try $SIGNALBOX_ATTEMPT"; [ "$SIGNALBOX_ATTEMPT" = 2 ]'],
      },
    });
    const { code, stdout, stderr } = await run(["job", id, "--follow"]);
    assert.deepEqual([code, stdout], [0, "try 1\ntry 2\n"]);
    assert.equal(stderr, `Attempt 2 of job ${id}:\n`);
  });

  test("streams while the job runs, and a cancel ends both", async () => {
    const args = ["submit", "--follow", "--json", "--", "sh", "-c", "echo begun; sleep 60"];
    const cli = startCli(args, settings({}));
    await eventually(() => cli.stderr().includes("begun"), "its log comes while it runs");
    const [job] = JSON.parse((await run(["jobs", "--state", "running", "--json"])).stdout).items;
    assert.match((await run(["cancel", job.id])).stdout, /was asked to end|is cancelled/);
    const { code, stdout } = await cli.done;
    assert.equal(code, 143);
    assert.equal((JSON.parse(stdout) as Job).state, "cancelled");
  });

  test("kills what runs out of time", async () => {
    const { code, stderr } = await sh("sleep 60", "--timeout", "300ms");
    assert.equal(code, 143);
    assert.match(stderr, /ran out of time/);
  });

  test("passes variables and standard input on", async () => {
    const args = ["submit", "--follow", "--stdin", "--env", "HERE", "--", "sh", "-c"];
    const { stdout } = await run([...args, 'cat; echo "$HERE"'], {
      env: { HERE: "from here" },
      input: "typed\n",
    });
    assert.equal(stdout, "typed\nfrom here\n");
  });
});

describe("why", () => {
  test("names the feature that is missing, and the worker that lacks it", async () => {
    const submitted = await run(["submit", "--feature", "quantum-77", "--", "true"]);
    const id = submitted.stdout.trim();
    const { stdout } = await run(["why", id]);
    assert.match(stdout, /ready/);
    assert.match(stdout, /alpha\n {4}✗ .*quantum-77/);
    assert.match(stdout, /→ /);
    const explanation = JSON.parse((await run(["why", id, "--json"])).stdout) as Explanation;
    assert.ok(explanation.workers[0]?.vetoes.some((veto) => veto.sentence.includes("quantum-77")));
    assert.match((await run(["cancel", id])).stdout, /is cancelled/);
    assert.equal((await run(["cancel", id])).code, 1);
    assert.match((await run(["retry", id])).stdout, /will run again/);
    await run(["cancel", id]);
  });

  test("shows what each rule gave to a job that ran", async () => {
    const id = (await run(["submit", "--json", "--", "true"])).stdout;
    await system.client.wait(JSON.parse(id).id);
    const { stdout } = await run(["why", JSON.parse(id).id]);
    assert.match(stdout, /Attempt 1 went to alpha with −?\d+\.\d\d points/);
    assert.match(stdout, /RULE +POINTS +REWARDS\n {2}\w/);
  });

  test("says of an unknown id that there is none", async () => {
    const { code, stderr } = await run(["why", "0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e"]);
    assert.equal(code, 1);
    assert.match(stderr, /^signalbox: .*0192f0c1.*\n$/);
  });
});

describe("run --follow", () => {
  const write = (name: string, text: string) => writeFileSync(join(system.folder, name), text);

  test("runs a diamond in order, gives results down, and exits 0", async () => {
    write(
      "diamond.yaml",
      `
vars: { WORD: }
defaults: { queue: diamonds }
jobs:
  - { key: top, run: 'echo "{\\"word\\": \\"$WORD\\"}" > "$SIGNALBOX_RESULT"' }
  - { key: left, depends_on: [top], run: 'cat "$SIGNALBOX_INPUTS"' }
  - { key: right, depends_on: [top], command: ["true"] }
  - { key: bottom, depends_on: [left, right], run: 'echo "$WORD"' }
`,
    );
    const args = ["run", "diamond.yaml", "--follow", "--json", "--var", "WORD=it's me"];
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 0, stderr);
    const { items, jobs } = JSON.parse(stdout) as { items: Job[]; jobs: Record<string, string> };
    assert.deepEqual(
      items.map((job) => job.workflows[0]?.key),
      ["top", "left", "right", "bottom"],
    );
    assert.match(stderr, /bottom succeeded/);
    assert.match(stderr, /diamond succeeded after .*: 4 succeeded\.\n$/);
    assert.match(await system.client.log(jobs.left as string), /"word":\s*"it's me"/);
    assert.match((await run(["queues"])).stdout, /^diamonds +0 +0/m);
  });

  test("shows the log of what failed, skips what depends on it, and exits 1", async () => {
    write(
      "broken.yaml",
      `
jobs:
  - { key: bad, run: 'seq 1 50; echo last words; exit 9' }
  - { key: after, depends_on: [bad], run: 'echo never' }
`,
    );
    const { code, stdout } = await run(["run", "broken.yaml", "--follow"]);
    assert.equal(code, 1);
    assert.match(stdout, /✗ bad: bad failed with exit code 9/);
    assert.match(stdout, /\n {4}50\n {4}last words\n/);
    assert.ok(!/\n {4}10\n/.test(stdout), "only the end is shown");
    assert.match(stdout, /after dependency failed/);
    assert.match(stdout, /broken failed after .*: 1 failed, 1 dependency failed\.\n$/);
  });

  test("is left by Ctrl-C and goes on", async () => {
    write("slow.yaml", "jobs: [{ key: slow, run: sleep 60 }]");
    const cli = startCli(["run", "slow.yaml", "--follow"], settings({}));
    await eventually(() => cli.stdout().includes("slow running"), "it runs");
    cli.child.kill("SIGINT");
    const { code, stderr } = await cli.done;
    assert.equal(code, 130);
    const id = /cancel --workflow (\S+)`/.exec(stderr)?.[1] as string;
    assert.equal((await system.client.workflowById(id)).state, "running");
    assert.match((await run(["cancel", "--workflow", id])).stdout, /Cancelled 1 job/);
    await eventually(async () => {
      return (await system.client.workflowById(id)).state === "cancelled";
    }, "it is cancelled");
  });
});

describe("doctor", () => {
  test("finds nothing wrong where all is well, and a wrong token where it is", async () => {
    const good = await run(["doctor", "--json"], { env: { DATABASE_URL: database.url } });
    const { ok, findings } = JSON.parse(good.stdout);
    const wrong = findings.filter((finding: { verdict: string }) => finding.verdict === "fail");
    assert.deepEqual([good.code, ok, wrong], [0, true, []]);
    const bad = await run(["doctor"], { env: { SIGNALBOX_TOKEN: "x".repeat(40) } });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /✗ token .*refuses the token from SIGNALBOX_TOKEN/);
    assert.match(bad.stdout, /→ Set SIGNALBOX_TOKEN/);
  });
});
