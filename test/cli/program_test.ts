/** The command line against a server that is played: arguments, streams, exit codes. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import packageJson from "../../package.json" with { type: "json" };
import type { Context } from "../../src/cli/context.ts";
import { createProgram } from "../../src/cli/program.ts";
import { VERSION } from "../../src/cli/version.ts";
import { events, json, problem, type ScriptedApi, scriptedApi } from "../sdk/scripted_api.ts";
import { eventually } from "../support/eventually.ts";
import { type CliOptions, ROOT, runCli, startCli } from "./run_cli.ts";

const ID = "0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e";
let api: ScriptedApi;
let folder: string;

beforeEach(async () => {
  api = await scriptedApi();
  folder = mkdtempSync(join(tmpdir(), "signalbox-cli-"));
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(args: string[], options: CliOptions = {}) {
  const env = { SIGNALBOX_URL: api.url, SIGNALBOX_TOKEN: "token-of-a-test", ...options.env };
  return runCli(args, { cwd: folder, ...options, env });
}

const JOB = {
  id: ID,
  org: "default",
  name: "hello",
  queue: "default",
  kind: "exec",
  payload: { command: ["echo", "it's me"] },
  priority: 0,
  requirements: null,
  tags: { branch: "main" },
  workflows: [],
  state: "succeeded",
  waiting_for: null,
  attempt: 1,
  max_attempts: 1,
  failures: 0,
  worker: { id: ID, name: "alpha" },
  created_at: "2026-01-01T00:00:00Z",
  queued_at: "2026-01-01T00:00:00Z",
  ready_at: "2026-01-01T00:00:00Z",
  dispatched_at: "2026-01-01T00:00:01Z",
  started_at: "2026-01-01T00:00:01Z",
  finished_at: "2026-01-01T00:00:04Z",
  cancel_requested_at: null,
  exit_code: 0,
  reason: null,
  error: null,
  result: { answer: 42 },
  progress: null,
};
const list = (...items: object[]) => json(200, { items, next_cursor: null });
const usage = { oom_killed: null };
const ATTEMPT = { attempt: 1, outcome: "failed", signal: null, waits: { run_ms: 3000 }, usage };

describe("signalbox", () => {
  test("has help with examples for every command", () => {
    const screen = { colour: false, columns: undefined };
    const program = createProgram({
      env: {},
      version: VERSION,
      out: screen,
      err: screen,
    } as unknown as Context);
    assert.ok(program.commands.length >= 14);
    for (const command of program.commands) {
      let text = "";
      const writeOut = (part: string) => {
        text += part;
      };
      command.configureOutput({ writeOut }).outputHelp();
      assert.match(text, /Examples?:\n {2}\S*.*signalbox/, command.name());
      for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
    }
  });

  test("has every command and every option in docs/cli.md", () => {
    const screen = { colour: false, columns: undefined };
    const context = { env: {}, version: VERSION, out: screen, err: screen };
    const docs = readFileSync(join(ROOT, "docs/cli.md"), "utf8");
    for (const command of createProgram(context as unknown as Context).commands) {
      assert.ok(docs.includes(`signalbox ${command.name()} `), command.name());
      for (const { long, hidden } of command.options) {
        if (!hidden) assert.ok(docs.includes(`${long}`), `${command.name()} ${long}`);
      }
    }
  });

  test("prints its version, which is the package's", async () => {
    assert.equal(VERSION, packageJson.version);
    assert.deepEqual(await run(["--version"]), { code: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  test("answers wrong usage with 2, the reason and the way to help", async () => {
    const cases: [string[], RegExp][] = [
      [["sumbit"], /unknown command 'sumbit'\n\(Did you mean submit\?\)/],
      [["jobs", "--stat", "x"], /unknown option '--stat'.*Did you mean --state/s],
      [["jobs", "--state", "done"], /Allowed choices are queued/],
      [["job", "123"], /whole id, 36 characters/],
      [["submit"], /missing required argument 'cmd'/],
      [["submit", "--priority", "101", "--", "x"], /from -100 to 100/],
      [["worker"], /required option '--url <url>'/],
      [["worker", "--url", "nonsense"], /--url nonsense: write ws:\/\/HOST:PORT/],
      [["worker", "--url", "ws://127.0.0.1:9"], /needs a token: --token-file FILE/],
      [["serve", "--host", "not a host"], /SIGNALBOX_HOST is "not a host": write/],
      [["up", "--port", "70000"], /from 0 to 65535/],
      [["run", "missing.yaml"], /missing\.yaml cannot be read: there is no such file/],
    ];
    const results = await Promise.all(cases.map(([args]) => run(args)));
    for (const [at, { code, stdout, stderr }] of results.entries()) {
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, cases[at]![1]);
    }
    assert.equal(api.seen.length, 0);
  });

  test("says in one sentence what is wrong, and the stack only when asked", async () => {
    const env = { SIGNALBOX_URL: "http://127.0.0.1:9" };
    const plain = await run(["jobs"], { env });
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /^signalbox: Cannot reach Signalbox at .*signalbox up.*\n$/);
    const debug = await run(["jobs", "--debug"], { env });
    assert.match(debug.stderr, /\n {4}at /);
    api.script(problem(401, { detail: "This needs a valid token." }));
    const refused = await run(["queues"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /valid token\. .*SIGNALBOX_TOKEN/);
    assert.ok(!refused.stderr.includes("token-of-a-test"));
  });

  test("knows nothing without settings, and says which", async () => {
    const { code, stderr } = await runCli(["jobs"], { cwd: folder });
    assert.equal(code, 2);
    assert.match(stderr, /signalbox up.*SIGNALBOX_URL/);
  });
});

describe("submit", () => {
  test("sends what was asked for and prints the id alone", async () => {
    api.script(json(201, JOB));
    const flags =
      "--queue q --priority -5 --timeout 2m --max-attempts 3 --feature kvm --feature gpu";
    const more = ["--tag", "a=b", "--env", "X=1", "--env", "HERE", "--ram-mb", "512", "--stdin"];
    const { code, stdout, stderr } = await run(
      ["submit", ...flags.split(" "), ...more, "--", "/bin/cat", "-n", "--follow"],
      { env: { HERE: "secret" }, input: "typed\n" },
    );
    assert.deepEqual([code, stdout, stderr], [0, `${ID}\n`, ""]);
    assert.deepEqual(JSON.parse(api.seen[0]?.body ?? ""), {
      name: "cat",
      queue: "q",
      priority: -5,
      timeout_seconds: 120,
      max_attempts: 3,
      requirements: { features: ["kvm", "gpu"], ram_mb: 512 },
      tags: { a: "b" },
      payload: {
        command: ["/bin/cat", "-n", "--follow"],
        env: { X: "1", HERE: "secret" },
        stdin: "typed\n",
      },
    });
  });

  test("leaves what follows the program to it, also without dashes", async () => {
    api.script(json(201, JOB));
    await run(["submit", "ls", "-l", "--queue", "x"]);
    const { payload, queue } = JSON.parse(api.seen[0]?.body ?? "");
    assert.deepEqual([payload.command, queue], [["ls", "-l", "--queue", "x"], undefined]);
  });

  test("follows the log to stdout and ends as the job did", async () => {
    const failed = { ...JOB, state: "failed", exit_code: 7, error: null };
    api.script(
      json(201, { ...JOB, state: "ready" }),
      events([
        { event: "log", id: "1:3", attempt: 1, offset: 0, text: "one\n" },
        { event: "attempt", id: "2:0", attempt: 2 },
        { event: "log", id: "2:3", attempt: 2, offset: 0, text: "two\n" },
        { event: "end", attempt: 2, state: "failed" },
      ]),
      json(200, failed),
      list({ ...ATTEMPT, attempt: 2 }),
    );
    const { code, stdout, stderr } = await run(["submit", "--follow", "--", "sh", "-c", "exit 7"]);
    assert.equal(code, 7);
    assert.equal(stdout, "one\ntwo\n");
    assert.match(stderr, /Attempt 2 of job .*\nhello failed with exit code 7 after 3\.0 s\.\n/);
  });

  test("prints the job as JSON, with --follow after its log went to stderr", async () => {
    api.script(json(201, JOB));
    assert.deepEqual(JSON.parse((await run(["submit", "--json", "--", "x"])).stdout), JOB);
    const end = { event: "end", attempt: 1, state: "succeeded" };
    const log = { event: "log", id: "1:2", attempt: 1, offset: 0, text: "hi" };
    api.script(json(201, JOB), events([log, end]), json(200, JOB), list(ATTEMPT));
    const { stdout, stderr } = await run(["submit", "--json", "--follow", "--", "x"]);
    assert.deepEqual(JSON.parse(stdout), JOB);
    assert.equal(stderr, "hi");
  });

  test("is 125 when Signalbox fails, 2 when the input is refused", async () => {
    api.script(problem(500, { detail: "Broken." }));
    assert.equal((await run(["submit", "--follow", "--", "x"])).code, 125);
    api.script(problem(422, { detail: "No." }));
    assert.equal((await run(["submit", "--follow", "--", "x"])).code, 2);
  });

  test("lets the job go on when its follower is interrupted, and says how to come back", async () => {
    api.script(json(201, JOB), (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`event: log\ndata: {"attempt":1,"offset":0,"text":"going on"}\n\n`);
    });
    const env = { SIGNALBOX_URL: api.url, SIGNALBOX_TOKEN: "t" };
    const cli = startCli(["submit", "--follow", "--", "x"], { env, cwd: folder });
    await eventually(() => cli.stdout().includes("going on"), "it follows");
    cli.child.kill("SIGINT");
    const { code, stderr } = await cli.done;
    assert.equal(code, 130);
    assert.match(
      stderr,
      new RegExp(`goes on.*signalbox job ${ID} --follow.*signalbox cancel ${ID}`),
    );
    assert.equal(api.seen.filter((request) => request.path.includes("cancel")).length, 0);
  });
});

describe("what is looked at", () => {
  test("is a table for people, JSON for programs, both without colour in a pipe", async () => {
    api.script(list(JOB, { ...JOB, state: "failed", exit_code: 3, name: "x\u001b[2J" }));
    const table = await run(["jobs", "--tag", "branch=main", "--state", "failed"]);
    assert.match(api.seen[0]?.path ?? "", /\?state=failed&tag=branch%3Amain&limit=51$/);
    assert.match(table.stdout, /^ID +NAME +QUEUE +STATE/);
    assert.match(table.stdout, /failed \(exit 3\)/);
    assert.ok(!table.stdout.includes("\u001b"));
    api.script(list(JOB));
    const parsed = JSON.parse((await run(["jobs", "--json"])).stdout);
    assert.deepEqual(parsed, { items: [JOB], more: false });
    api.script(list(JOB));
    const coloured = await run(["jobs"], { env: { FORCE_COLOR: "1" } });
    assert.ok(coloured.stdout.includes("\u001b[32m"));
  });

  test("says that there is more, or nothing", async () => {
    api.script(list(JOB, JOB, JOB));
    const some = await run(["jobs", "--limit", "2"]);
    assert.equal(some.stdout.trim().split("\n").length, 3);
    assert.match(some.stderr, /more: see them with --limit 20/);
    api.script(list());
    const none = await run(["jobs"]);
    assert.deepEqual([none.code, none.stdout], [0, ""]);
    assert.match(none.stderr, /No jobs match/);
  });

  test("is one job with its waits, its log or its phases", async () => {
    api.script(json(200, JOB), list(ATTEMPT));
    const { stdout } = await run(["job", ID]);
    assert.match(stdout, /^hello {2}succeeded {2}0192f0c1/);
    assert.match(stdout, /does +echo 'it'\\''s me'\n/);
    assert.match(stdout, /tags +branch=main\n/);
    assert.match(stdout, /ready +\S+ \S+ {2}1\.0 s\n/);
    assert.match(stdout, /started +\S+ \S+ {2}3\.0 s\n/);
    assert.match(stdout, /result +\{"answer":42\}\n/);
    api.script((_request, response) => response.end("a line\nno end"));
    assert.equal((await run(["job", ID, "--tail", "2"])).stdout, "a line\nno end");
    assert.match(api.seen.at(-1)?.path ?? "", /\/log\?tail=2$/);
  });

  test("stops without a word when nobody reads on", async () => {
    api.script(list(...Array.from({ length: 1000 }, () => JOB)));
    const env = { SIGNALBOX_URL: api.url, SIGNALBOX_TOKEN: "t" };
    const cli = startCli(["jobs", "--limit", "1000", "--json"], { env, cwd: folder });
    cli.child.stdout?.destroy();
    const { stderr } = await cli.done;
    assert.equal(stderr, "");
  });
});

describe("cancel and retry", () => {
  test("go on with the rest where one job refuses, and exit 1", async () => {
    api.script(
      json(200, { ...JOB, state: "cancelled" }),
      problem(409, { detail: "It has ended." }),
      json(200, { ...JOB, state: "running" }),
    );
    const { code, stdout, stderr } = await run(["cancel", ID, ID, ID, "--reason", "why not"]);
    assert.equal(code, 1);
    assert.match(stdout, /is cancelled\.\nhello \S+ was asked to end\.\n/);
    assert.match(stderr, /It has ended\./);
    assert.deepEqual(JSON.parse(api.seen[0]?.body ?? ""), { reason: "why not" });
    api.script(json(200, { ...JOB, state: "queued" }));
    assert.match((await run(["retry", ID])).stdout, /will run again/);
  });
});

describe("run", () => {
  test("says on which line a file is wrong, before anything is sent", async () => {
    writeFileSync(join(folder, "w.yaml"), "jobs:\n  - key: a\n    run: x\n    depends_on: [b]\n");
    const { code, stderr } = await run(["run", "w.yaml", "--follow"]);
    assert.equal(code, 2);
    assert.match(stderr, /^signalbox: w\.yaml:4:18: jobs\[0\]\.depends_on\[0\]: .*"b"/);
    assert.equal(api.seen.length, 0);
  });

  test("prints the id, or what would be sent", async () => {
    writeFileSync(join(folder, "w.yaml"), "vars: { V: 1 }\njobs: [{ key: a, run: x }]");
    const dry = JSON.parse((await run(["run", "w.yaml", "--dry-run", "--var", "V=2"])).stdout);
    assert.deepEqual(dry.jobs[0].payload.env, { V: "2" });
    assert.equal(api.seen.length, 0);
    api.script(json(201, { id: ID, jobs: { a: ID } }));
    assert.equal((await run(["run", "w.yaml"])).stdout, `${ID}\n`);
  });

  test("follows to the end, shows the last words of what failed, and exits 1", async () => {
    writeFileSync(join(folder, "w.yaml"), "jobs: [{ key: good, run: x }, { key: bad, run: x }]");
    const row = (key: string, state: string) => ({
      ...JOB,
      id: `${ID.slice(0, -1)}${key.length}`,
      name: key,
      state,
      exit_code: state === "failed" ? 3 : 0,
      workflows: [{ id: ID, key }],
    });
    api.script(
      json(201, { id: ID, jobs: {} }),
      json(200, { id: ID, state: "running" }),
      list(row("good", "running"), row("bad", "running")),
      json(200, { id: ID, state: "failed" }),
      list(row("good", "succeeded"), row("bad", "failed")),
      list(ATTEMPT),
      (_request, response) => response.end("first\nlast \u001b[31mwords\u001b[0m\n"),
    );
    const { code, stdout } = await run(["run", "w.yaml", "--follow"]);
    assert.equal(code, 1);
    assert.match(stdout, /^Workflow w .*: 2 jobs\.\n/);
    assert.match(stdout, /good running on alpha\n/);
    assert.match(stdout, /good succeeded after 3\.0 s\n/);
    assert.match(
      stdout,
      /✗ bad: bad failed with exit code 3 after 3\.0 s\.\n {4}first\n {4}last words\n/,
    );
    assert.match(stdout, /\nw failed after .*: 1 succeeded, 1 failed\.\n$/);
  });
});
