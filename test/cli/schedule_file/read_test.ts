import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readScheduleFile } from "../../../src/cli/schedule_file/read.ts";

const read = (text: string) => readScheduleFile("/srv/schedules.yaml", text);
const refused = (text: string) => {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was read");
};

describe("a file of schedules", () => {
  test("gives schedules in full, with names and commands spelled shortly", () => {
    const { managedBy, schedules } = read(`
managed_by: reports
schedules:
  - name: nightly
    cron: "30 2 * * *"
    job:
      queue: reports
      run: make report
  - name: flow
    cron: "*/5 * * * *"
    paused: true
    workflow:
      name: two
      jobs:
        - { key: a, command: ["true"] }
        - { key: b, command: ["true"], depends_on: [a] }
`);
    assert.equal(managedBy, "reports");
    const [nightly, flow] = schedules;
    assert.equal(nightly!.input.job!.name, "nightly");
    assert.deepEqual(nightly!.input.job!.payload, {
      command: ["sh", "-e", "-c", "make report"],
    });
    assert.deepEqual([nightly!.input.time_zone, nightly!.input.managed_by], ["UTC", "reports"]);
    assert.deepEqual([nightly!.paused, flow!.paused], [null, true]);
    assert.deepEqual(
      flow!.input.workflow!.jobs.map((job) => job.name),
      ["a", "b"],
    );
  });

  test("may be JSON, or hold none", () => {
    assert.deepEqual(read(`{"schedules": []}`), { managedBy: "file", schedules: [] });
  });

  test("that is wrong is refused with lines and what to write instead", () => {
    const said = refused(`
schedules:
  - name: a
    cron: "61 * * * *"
    job: { run: "true" }
  - name: b
    cron: "0 0 * * *"
    time_zone: Mars
    job: { run: "true", command: ["true"] }
  - name: c
    cron: "0 0 * * *"
    crom: 1
    job:
      queue: Not A Queue
      run: "true"
  - name: a
    cron: "0 0 * * *"
    job: { run: "true" }
  - name: d
    cron: "0 0 * * *"
  - name: e
    cron: "0 0 * * *"
    job:
      run: "true"
      dedupe_key: one
`);
    const lines = said.split("\n");
    assert.match(
      lines[0]!,
      /^\/srv\/schedules\.yaml:4:11: schedules\[0\]\.cron: "61" is no minute/,
    );
    assert.match(said, /schedules\[1\]\.job.*/);
    assert.match(said, /:14:14: schedules\[2\]\.job\.queue: must be 1 to 63/);
    assert.match(said, /schedules\[2\]\.crom: is not known here/);
    assert.match(said, /schedules\[4\]\.job: is missing: say what to submit/);
    assert.match(
      said,
      /:25:19: schedules\[5\]\.job\.dedupe_key: is not for a schedule.* leave it out/,
    );
    assert.match(refused("schedules: 5"), /schedules: must be a list of schedules/);
    assert.match(refused("schedule: []"), /schedule/);
    const twice = `schedules: [{name: a, cron: "* * * * *", job: {run: x}}, {name: a, cron: "* * * * *", job: {run: x}}]`;
    assert.match(refused(twice), /schedules\[1\]\.name: stands in this file twice: a/);
  });
});
