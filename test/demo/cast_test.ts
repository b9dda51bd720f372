/** What the demo submits: valid, without circles, and for somebody to run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { evaluated } from "../../src/demo/cast/firmware.ts";
import { ORGANIZATIONS, taskOf } from "../../src/demo/cast/organizations.ts";
import { PACKAGES } from "../../src/demo/cast/packages.ts";
import { FLEET } from "../../src/demo/cast/worker_role.ts";
import { Dice } from "../../src/demo/dice.ts";
import { PastWorker } from "../../src/demo/past/past_worker.ts";
import { jobInput, workflowInput } from "../../src/messages/job_input.ts";
import { label, ORG_NAME, queueName } from "../../src/messages/names.ts";

const SOURCES = ORGANIZATIONS.flatMap(({ sources }) => sources);
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const some = { numRuns: 60 };

interface Member {
  key: string;
  depends_on?: unknown[];
}

function assertSound(members: readonly Member[]): void {
  const keys = new Set(members.map(({ key }) => key));
  assert.equal(keys.size, members.length, "keys are unique");
  const needs = new Map(members.map(({ key, depends_on = [] }) => [key, depends_on as string[]]));
  for (const list of needs.values()) for (const need of list) assert.ok(keys.has(need), need);
  const done = new Set<string>();
  const visit = (key: string, trail: readonly string[]): void => {
    assert.ok(!trail.includes(key), `a circle: ${[...trail, key].join(" → ")}`);
    if (done.has(key)) return;
    for (const need of needs.get(key)!) visit(need, [...trail, key]);
    done.add(key);
  };
  for (const key of keys) visit(key, []);
}

describe("the work of the demo", () => {
  test("is what the API takes, whatever the seed", () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(...SOURCES), (seed, source) => {
        const { org, workflow, jobs } = source.make(new Dice(seed), 7);
        assert.ok(ORGANIZATIONS.some(({ name }) => name === org));
        if (workflow) assertSound(workflowInput.parse(workflow).jobs);
        for (const job of jobs ?? []) jobInput.parse(job);
        assert.ok(workflow || jobs);
      }),
      some,
    );
  });

  test("has workflows without circles, also where a job adds to one", () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom("k7", "k9"), (seed, board) => {
        const jobs = evaluated({ SEED: String(seed), BOARD: board });
        assertSound(jobs);
        assert.ok(jobs.length >= 8 && jobs.length <= 60, `${jobs.length} jobs`);
      }),
      some,
    );
  });

  test("is the same for the same seed", () => {
    for (const source of SOURCES) {
      assert.deepEqual(source.make(new Dice(5), 3), source.make(new Dice(5), 3));
    }
    assert.deepEqual(evaluated({ SEED: "9" }), evaluated({ SEED: "9" }));
  });

  test("consists of jobs that are known, each of which some worker can run", () => {
    const workers = FLEET.map((role, at) => {
      const org = role.org === null ? null : ORGANIZATIONS.findIndex((o) => o.name === role.org);
      return new PastWorker(role, { worker: at, org, sessions: new Map() });
    });
    for (const [org, cast] of ORGANIZATIONS.entries()) {
      for (const task of cast.tasks) {
        assert.equal(taskOf(cast.name, task.name), task, task.name);
        const requirements = task.requirements ?? {};
        const ids = { queue: 1, name: 1, counted: 1, shape: 1, orgName: cast.name };
        const kind = { task, org, requirements, ...ids };
        assert.ok(
          workers.some((worker) => worker.fits(kind)),
          `nobody runs ${task.name}`,
        );
        const chances = (task.troubles ?? []).reduce((sum, { chance }) => sum + chance, 0);
        assert.ok(chances < 0.5, `${task.name} goes well more often than not`);
      }
    }
  });

  test("has names that the contract allows", () => {
    for (const { name, title, tasks } of ORGANIZATIONS) {
      assert.match(name, ORG_NAME);
      assert.ok(title.length <= 100);
      for (const task of tasks) queueName.parse(task.queue);
    }
    for (const { pool, system, features } of FLEET) {
      for (const word of [pool, system, ...features]) label.parse(word);
    }
    assert.equal(new Set(FLEET.map(({ id }) => id)).size, FLEET.length);
  });

  test("lists each package after what it needs", () => {
    const seen = new Set<string>();
    for (const { name, needs } of PACKAGES) {
      for (const need of needs) assert.ok(seen.has(need), `${name} needs ${need}`);
      seen.add(name);
    }
  });
});
