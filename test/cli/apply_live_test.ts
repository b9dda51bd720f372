/** `signalbox apply` and `signalbox schedules` against a real server. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { ADMIN_TOKEN, TestSystem } from "../support/system.ts";
import { runCli } from "./run_cli.ts";

let database: TestDatabase;
let system: TestSystem;
before(async () => {
  database = await testDatabase();
  system = await TestSystem.create({ databaseUrl: database.url });
  await system.server();
});
after(async () => {
  await system?.stop();
  await database?.drop();
});

function run(...args: string[]) {
  const env = { SIGNALBOX_URL: system.client.url, SIGNALBOX_TOKEN: ADMIN_TOKEN };
  return runCli(args, { cwd: system.folder, env });
}
const write = (name: string, text: string) => writeFileSync(join(system.folder, name), text);
const names = async () => (await system.client.schedules.list()).map((item) => item.name);

/** Due once in four years. */
const schedule = (name: string, more = "") => `
  - name: ${name}
    cron: "0 0 29 2 *"
    time_zone: Europe/Berlin
    ${more}
    job: { queue: reports, run: "echo ${name}", tags: { b: "1", a: "2" } }`;
const file = (...schedules: string[]) => `managed_by: team\nschedules: ${schedules.join("")}`;

describe("signalbox apply", () => {
  test("makes the server what the file says, and does nothing the second time", async () => {
    write("a.yaml", file(schedule("one"), schedule("two", "overlap: queue")));
    const dry = await run("apply", "a.yaml", "--dry-run");
    assert.deepEqual([dry.code, dry.stdout], [0, "+ one\n+ two\n"]);
    assert.match(dry.stderr, /2 schedules would change, 0 as in the files/);
    assert.deepEqual(await names(), []);
    assert.deepEqual((await run("apply", "a.yaml")).stdout, "+ one\n+ two\n");
    assert.deepEqual(await names(), ["one", "two"]);
    const again = await run("apply", "a.yaml");
    assert.deepEqual([again.code, again.stdout], [0, ""]);
    assert.match(again.stderr, /Nothing to do: 2 schedules as in the files/);
  });

  test("prints what differs, changes that, and leaves a pause alone that it does not speak of", async () => {
    await run("schedules", "pause", "one", "--reason", "by hand");
    write("a.yaml", file(schedule("one", "overlap: replace"), schedule("two", "paused: true")));
    const { stdout } = await run("apply", "a.yaml");
    assert.equal(
      stdout,
      '~ one\n    overlap: "skip" → "replace"\n~ two\n    overlap: "queue" → "skip"\n    paused\n',
    );
    const [one, two] = await system.client.schedules.list();
    assert.deepEqual([one!.overlap, one!.pause_reason], ["replace", "by hand"]);
    assert.deepEqual([two!.overlap, two!.pause_reason], ["skip", "as its file says"]);
    assert.equal((await run("apply", "a.yaml")).stdout, "");
  });

  test("removes what its files managed and hold no more, and nothing else", async () => {
    const job = { name: "x", payload: { command: ["true"] } };
    await system.client.schedules.create({ name: "by-hand", cron: "0 0 29 2 *", job });
    write("b.yaml", file(schedule("three")));
    write("a.yaml", file(schedule("two", "paused: true")));
    const kept = await run("apply", "a.yaml", "b.yaml");
    assert.equal(kept.stdout, "+ three\n");
    assert.deepEqual((await run("apply", "a.yaml", "b.yaml", "--prune")).stdout, "- one\n");
    assert.deepEqual(await names(), ["by-hand", "three", "two"]);
  });

  test("writes its reason into the audit log", async () => {
    for (const more of ["", "overlap: queue"]) {
      write("why.yaml", file(schedule("why", more)));
      assert.equal((await run("apply", "why.yaml", "--reason", "release 7")).code, 0);
    }
    const answer = await fetch(`${system.client.url}/api/v1/orgs/default/audit?limit=2`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const { items } = (await answer.json()) as { items: { action: string; reason: string }[] };
    assert.deepEqual(
      items.map(({ action, reason }) => [action, reason]),
      [
        ["schedule.update", "release 7"],
        ["schedule.create", "release 7"],
      ],
    );
  });

  test("sends nothing where one of the files is wrong", async () => {
    write("good.yaml", file(schedule("good")));
    write("bad.yaml", file(schedule("bad", "cron: 5")));
    const { code, stderr } = await run("apply", "good.yaml", "bad.yaml");
    assert.deepEqual([code, (await names()).includes("good")], [2, false]);
    assert.match(stderr, /bad\.yaml:\d+:\d+: /);
    const twice = await run("apply", "good.yaml", "good.yaml");
    assert.match(twice.stderr, /The schedule good stands in good\.yaml and in good\.yaml/);
  });
});

describe("signalbox schedules", () => {
  test("lists them in words, and acts on them by name", async () => {
    const { stdout } = await run("schedules");
    assert.match(stdout, /^NAME +CRON +ZONE +IN WORDS +NEXT +LAST +OUTCOME\n/);
    assert.match(
      stdout,
      /two +0 0 29 2 \* +Europe\/Berlin +At 00:00 on day 29 in February +paused/,
    );
    const triggered = await run("schedules", "trigger", "two");
    const [, job] = /^two submitted job (\S+)\.\n$/.exec(triggered.stdout) ?? [];
    assert.equal((await system.client.job(job!)).tags?.schedule, "two");
    const again = await run("schedules", "trigger", "two");
    assert.equal(again.code, 1);
    assert.match(again.stderr, /two does not run now: the run before it had not ended/);
    assert.equal((await run("schedules", "resume", "--all")).stdout, "1 changed.\n");
    assert.equal((await run("schedules", "pause", "two")).stdout, "two is paused.\n");
    assert.equal((await run("schedules", "delete", "two")).stdout, "two is removed.\n");
    const gone = await run("schedules", "resume", "two");
    assert.deepEqual([gone.code, gone.stdout], [1, ""]);
    assert.match(gone.stderr, /two: default has no such schedule/);
    assert.equal((await run("schedules", "pause")).code, 2);
  });
});
