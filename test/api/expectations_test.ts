import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiBox, apiBox, JOBS, V1 } from "../support/api_box.ts";

const PATH = `${V1}/orgs/default/expectations`;

describe("how often a name is to run", () => {
  let box: ApiBox;
  before(async () => {
    box = await apiBox();
    await box.call("POST", JOBS, { name: "clips/sync", payload: { command: ["true"] } });
  });
  after(async () => {
    assert.deepEqual(box.faults, []);
    await box.close();
  });

  const say = (more: object) => box.call("PUT", PATH, { name: "clips/sync", ...more });
  const told = async () => {
    const { json } = await box.call("GET", PATH);
    return json.items.map(({ updated_at: _, updated_by: by, ...item }: Record<string, unknown>) => {
      return { ...item, by };
    });
  };
  const audited = async () => {
    const rows = await box.database.reads`
      select before, after, reason from audit_log where action = 'name.expect' order by id`;
    return rows.map(({ before: was, after: is, reason }) => ({ before: was, after: is, reason }));
  };

  test("is said, changed and taken back, each once in the audit log", async () => {
    assert.deepEqual(await told(), []);
    const first = { expected_interval_seconds: 900, reason: "it syncs clips" };
    assert.equal((await say(first)).json.affected, 1);
    assert.equal((await say(first)).json.affected, 0);
    const [item] = await told();
    const { by, ...rest } = item;
    assert.deepEqual(rest, {
      name: "clips/sync",
      expected_interval_seconds: 900,
      grace_seconds: null,
    });
    assert.equal(typeof by, "string");
    assert.equal(
      (await say({ expected_interval_seconds: 600, grace_seconds: 30 })).json.affected,
      1,
    );
    assert.equal((await say({ expected_interval_seconds: null })).json.affected, 1);
    assert.equal((await say({ expected_interval_seconds: null })).json.affected, 0);
    assert.deepEqual(await told(), []);
    const [was, is] = [
      { interval_seconds: 900, grace_seconds: null },
      { interval_seconds: 600, grace_seconds: 30 },
    ];
    assert.deepEqual(await audited(), [
      { before: {}, after: was, reason: "it syncs clips" },
      { before: was, after: is, reason: null },
      { before: is, after: {}, reason: null },
    ]);
  });

  test("is refused for names that nobody submitted, and for what is no interval", async () => {
    const none = await say({ name: "nobody", expected_interval_seconds: 60 });
    assert.equal(none.status, 404);
    assert.match(none.text, /job name nobody/);
    for (const seconds of [0, 9, 1.5, "60", 1e9, undefined]) {
      assert.equal(
        (await say({ expected_interval_seconds: seconds })).status,
        422,
        String(seconds),
      );
    }
    assert.equal((await say({ expected_interval_seconds: 60, name: "no name" })).status, 422);
  });
});
