/** What is done to several schedules at once on the page of the job service. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACME } from "../../access/cast.ts";
import { get, post } from "../../access/rows.ts";
import { jobOf, V1 } from "../../access/seed.ts";
import { type Stage, stage } from "../../access/stage.ts";

const CONFIRM = "/board/service/confirm";
const ALL = `${V1}/orgs/${ACME}/schedules`;
let box: Stage;
let count = 0;

before(async () => {
  box = await stage();
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

async function make(): Promise<{ id: string; name: string }> {
  const requirements = { pool: "nobody" };
  const input = {
    ...{ name: `many-${++count}`, cron: "0 0 29 2 *" },
    job: { ...jobOf(ACME, { queue: "many" }), requirements },
  };
  const { status, json } = await box.ask("owner", post(ALL, input));
  assert.equal(status, 201, JSON.stringify(json));
  return json;
}
const act = (deed: string, ...all: { id: string }[]) =>
  box.ask("owner", post(`${CONFIRM}?do=${deed}${all.map(({ id }) => `&item=${id}`).join("")}`));
const newsAt = async (location: string | null) => {
  const { text } = await box.ask("owner", get(location!));
  const [found] = /class="notice \w+ service-news"[\s\S]*?<\/div>/.exec(text) ?? [""];
  return found.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
};
const runs = async ({ id }: { id: string }) => {
  const rows = await box.database.reads`select from schedule_fire where schedule_id = ${id}`;
  return rows.length;
};

describe("run now of several schedules", () => {
  test("runs those that may, and tells of each that does not", async () => {
    const [first, busy, last] = [await make(), await make(), await make()];
    assert.equal((await act("run-schedules", busy)).status, 303);
    const answer = await act("run-schedules", first, busy, last);
    assert.equal(answer.status, 303, answer.text);
    const said = await newsAt(answer.headers.get("location"));
    assert.match(said, /Asked for 2 runs\./);
    assert.match(
      said,
      new RegExp(`${ACME} / ${busy.name}: .*the run before it had not ended.*change the policy`),
    );
    assert.deepEqual([await runs(first), await runs(busy), await runs(last)], [1, 1, 1]);
  });

  test("of a single one is refused with its reason", async () => {
    const busy = await make();
    await act("run-schedules", busy);
    const answer = await act("run-schedules", busy);
    assert.equal(answer.status, 409);
    assert.match(answer.text, /the run before it had not ended/);
  });
});

describe("a pause of several schedules", () => {
  test("is taken back for those that it paused, and for no other", async () => {
    const [one, paused] = [await make(), await make()];
    await box.ask("owner", post(`${ALL}/${paused.id}/pause`));
    const location = (await act("pause-schedules", one, paused)).headers.get("location")!;
    assert.deepEqual(new URL(location, "http://board").searchParams.getAll("item"), [one.id]);
    assert.match(await newsAt(location), /Paused 1 schedule\..*Resume it again/);
  });
});
