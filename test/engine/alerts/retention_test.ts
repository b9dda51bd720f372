import assert from "node:assert/strict";
import { test } from "node:test";
import { makeName } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";
import { DAY } from "../../support/old_times.ts";

test("what alerts did long ago is forgotten, with what was told of it and silences that are over", async () => {
  const rig = await Rig.start({ alertSeconds: 3_600 });
  const { id, org } = await makeName(rig.sql, "report");
  const days = (n: number) => new Date(Date.now() - n * DAY);
  const channel = crypto.randomUUID();
  await rig.sql`insert into alert_channel ${rig.sql({
    ...{
      id: channel,
      org_id: null,
      name: "x",
      kind: "webhook",
      severity: "warning",
      url: "https://x.invalid",
    },
    ...{ may_be_private: false, enabled: true, created_at: days(200), created_by: "x" },
    ...{ updated_at: days(200), updated_by: "x" },
  } as never)}`;
  for (const age of [100, 1]) {
    await rig.sql`insert into alert_event ${rig.sql({
      ...{ alert_id: crypto.randomUUID(), kind: "firing", at: days(age), rule: "x", org_id: org },
      ...{ name_id: id, severity: "warning", since: days(age), sentence: "x" },
    } as never)}`;
    await rig.sql`insert into alert_delivery ${rig.sql({
      ...{ id: crypto.randomUUID(), channel_id: channel, message: {}, state: "delivered" },
      ...{ attempts: 1, created_at: days(age), next_try_at: days(age) },
    } as never)}`;
    await rig.sql`insert into silence ${rig.sql({
      ...{ id: crypto.randomUUID(), starts_at: days(age + 1), ends_at: days(age) },
      ...{ reason: "x", created_at: days(age), created_by: "x" },
    } as never)}`;
  }
  await rig.engine.keeping.prune();
  for (const table of ["alert_event", "alert_delivery", "silence"]) {
    assert.equal((await rig.sql.unsafe(`select from ${table}`)).length, 1, table);
  }
  await rig.stop({ oracles: false });
});
