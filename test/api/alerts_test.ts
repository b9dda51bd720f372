import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { receiver } from "../support/alerts/receiver.ts";
import { makeName } from "../support/alerts/runs.ts";
import { type ApiBox, apiBox, V1 } from "../support/api_box.ts";

const ORG = `${V1}/orgs/default`;
let box: ApiBox;

before(async () => {
  box = await apiBox({ alertSeconds: 3_600 });
});
after(async () => {
  assert.deepEqual(box.faults, []);
  await box.close();
});

const ask = async (method: string, path: string, body?: object, status = 200) => {
  const answer = await box.call(method, path, body);
  assert.equal(answer.status, status, JSON.stringify(answer.json));
  return answer.json;
};
const refused = async (path: string, body: object) => {
  const { errors } = await ask("POST", path, body, 422);
  return errors.map(
    ({ path: at, message }: { path: string; message: string }) => `${at} ${message}`,
  );
};
const audited = (kind: string) =>
  box.database
    .intake`select action, reason, before, after from audit_log where object_kind = ${kind} order by id`;

describe("alerts in the API", () => {
  test("are told with their figures, and whether they are silenced", async () => {
    const name = await makeName(box.database.intake as never, "report");
    const at = new Date();
    const alert = {
      id: crypto.randomUUID(),
      org_id: name.org,
      name_id: name.id,
      severity: "warning",
    };
    const facts = {
      since: at,
      rule: "BackgroundJobFailing",
      sentence: "Figures.",
      value: 0.5,
      limit_value: 0.05,
    };
    const sql = box.database.intake;
    await sql`insert into alert ${sql({
      ...{ ...alert, ...facts, state: "firing", seen_at: at, known_at: at, fired_at: at },
    } as never)}`;
    const { id, ...rest } = alert;
    await sql`insert into alert_event ${sql({ ...rest, ...facts, alert_id: id, kind: "firing", at } as never)}`;
    for (const path of [`${ORG}/alerts`, `${V1}/alerts`]) {
      const { items } = await ask("GET", path);
      assert.equal(items.length, 1);
      const { summary, description, value, limit, silenced, job_name } = items[0];
      assert.deepEqual(
        [summary, description, value, limit, silenced, job_name],
        ["Background job report is failing", "Figures.", 0.5, 0.05, false, "report"],
      );
      const past = await ask("GET", `${path}/history?limit=1`);
      assert.deepEqual(
        [past.items[0].alert, past.items[0].kind, past.next_cursor],
        [id, "firing", null],
      );
    }
    await ask("POST", `${ORG}/silences`, { job_name: "rep*", seconds: 60, reason: "x" }, 201);
    assert.equal((await ask("GET", `${ORG}/alerts`)).items[0].silenced, true);
  });

  test("silences are made, listed and ended, with who and why; wrong ones are refused in sentences", async () => {
    const body = {
      rule: "BackgroundJobNotRunning",
      job_name: "nightly",
      seconds: 7200,
      reason: "we know",
    };
    const made = await ask("POST", `${ORG}/silences`, body, 201);
    assert.deepEqual([made.active, made.created_by, made.org], [true, "admin", "default"]);
    const ended = await ask("POST", `${ORG}/silences/${made.id}/end`, { reason: "it is back" });
    assert.deepEqual([ended.active, ended.ended_by], [false, "admin"]);
    await ask("POST", `${V1}/silences/${made.id}/end`, {}, 404);
    const rows = await audited("silence");
    assert.deepEqual(
      rows.slice(-2).map(({ action, reason }) => `${action} ${reason}`),
      ["silence.create we know", "silence.end it is back"],
    );
    assert.deepEqual(await refused(`${ORG}/silences`, { reason: "x" }), [
      "/ends_at or seconds says when it ends: write one of the two",
    ]);
    assert.match(
      (await refused(`${ORG}/silences`, { reason: " ", seconds: 60 }))[0],
      /^\/reason must not be empty/,
    );
    assert.match(
      (await refused(`${ORG}/silences`, { reason: "x", seconds: 60, job_name: "a b" }))[0],
      /^\/job_name must be the name of a job/,
    );
    const past = { reason: "x", ends_at: "2001-01-01T00:00:00Z" };
    assert.deepEqual(await refused(`${ORG}/silences`, past), ["/ends_at must lie ahead"]);
  });

  test("channels show their secret once, and never where they lead", async () => {
    const hook = await receiver();
    const path = `${ORG}/alert-channels`;
    const url = `${hook.url}/very-secret?token=hidden`;
    const made = await ask("POST", path, { name: "ops", kind: "webhook", url }, 201);
    assert.match(made.secret, /^whsec_/);
    const seen = [
      await ask("GET", path),
      await ask("GET", `${path}/${made.id}`),
      await ask("PATCH", `${path}/${made.id}`, { severity: "critical" }),
    ];
    for (const answer of [...seen, ...(await audited("alert_channel"))]) {
      assert.ok(!/whsec_|very-secret|hidden/.test(JSON.stringify(answer)), JSON.stringify(answer));
    }
    assert.equal(seen[2].severity, "critical");
    assert.deepEqual(await ask("POST", `${path}/${made.id}/test`), {
      delivered: true,
      error: null,
    });
    assert.equal(hook.received.length, 1);
    await hook.close();
    assert.deepEqual(await refused(path, { name: "ops", kind: "webhook", url }), [
      "/name There is a channel ops already: choose another name, or change that one.",
    ]);
    assert.deepEqual(await refused(path, { name: "x", kind: "email" }), [
      "/addresses is missing: a channel of kind email needs it",
    ]);
    await ask("DELETE", `${path}/${made.id}`, { reason: "moved" });
    await ask("GET", `${path}/${made.id}`, undefined, 404);
    assert.deepEqual(
      (await audited("alert_channel")).map(({ action }) => action),
      ["create", "update", "test", "delete"].map((verb) => `alert_channel.${verb}`),
    );
  });

  test("rules are told in words with their limits, and these are set for all names or for one", async () => {
    const path = `${ORG}/alert-rules`;
    assert.equal((await ask("GET", path)).items.length, 9);
    const set = { job_name: "report", limits: { failure_rate: 0.25 } };
    const changed = await ask("PUT", `${path}/BackgroundJobFailing`, set);
    assert.match(changed.words, /^Fires when more than 25 % of its runs failed/);
    assert.deepEqual(changed.overridden, ["report"]);
    const [plain] = (await ask("GET", path)).items;
    const [own] = (await ask("GET", `${path}?job_name=report`)).items;
    assert.deepEqual(
      [plain.limits[0].value, own.limits[0].value, own.limits[0].from],
      [0.05, 0.25, "name"],
    );
    const wrong = { limits: { queue_size: 5 } };
    const { errors } = await ask("PUT", `${path}/BackgroundJobFailing`, wrong, 422);
    assert.match(errors[0].message, /^is no limit of BackgroundJobFailing: it has failure_rate/);
    await ask("PUT", `${path}/BackgroundJobFailing`, { limits: { failure_rate: 7 } }, 422);
    await ask("PUT", `${path}/BackgroundJobFailing`, { job_name: "report" });
    assert.deepEqual((await ask("GET", path)).items[0].overridden, []);
    assert.equal((await audited("alert_rule")).length, 2);
  });
});
