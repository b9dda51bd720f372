/** The form of a queue saves what was typed, and nothing that somebody else changed meanwhile. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { ACME } from "../../access/cast.ts";
import { form, get } from "../../access/rows.ts";
import { submit, V1 } from "../../access/seed.ts";
import { type Stage, stage } from "../../access/stage.ts";

const PATH = "/board/service/queue";
let box: Stage;
let count = 0;
let queue = "";

before(async () => {
  box = await stage();
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});
beforeEach(async () => {
  queue = `limited${++count}`;
  await submit(box, { org: ACME, member: "owner" }, { queue, requirements: { pool: "nobody" } });
});

const patch = async (body: object) => {
  const path = `${V1}/orgs/${ACME}/queues/${queue}`;
  const { status, text } = await box.ask("superuser", { method: "PATCH", path, body });
  assert.equal(status, 200, text);
};
const stands = async () => {
  const { json } = await box.ask("superuser", get(`${V1}/orgs/${ACME}/queues?limit=1000`));
  const { description, limits } = json.items.find((one: { name: string }) => one.name === queue);
  return { description, ...limits };
};
/** The fields as the page prints them, hidden ones too. */
const printed = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/<input(?=[^>]* name="(\w+)")(?=[^>]* value="([^"]*)")[^>]*>/g)]
      .map(([, name, value]) => [name!, value!.replaceAll("&quot;", '"')])
      .filter(([name]) => !["q", "org", "queue"].includes(name!)),
  );
const open = async () => {
  const { text } = await box.ask("operator", get(`${PATH}?org=${ACME}&queue=${queue}`));
  return printed(text);
};
const save = (fields: Record<string, string>) =>
  box.ask("operator", form(PATH, { org: ACME, queue, ...fields }));
const sure = (fields: Record<string, string>) => save({ ...fields, sure: "yes" });

describe("the form of a queue", () => {
  test("says what it changes and hits before it does, and writes the reason down", async () => {
    const fields = { ...(await open()), concurrency: "3" };
    const asked = await save(fields);
    assert.equal(asked.status, 200);
    assert.match(asked.text, /At once, at most:.*no limit.*→.*3/);
    assert.match(asked.text, /has 1 pending and 0 running/);
    assert.equal((await stands()).concurrency, undefined);
    const done = await save({ ...printed(asked.text), reason: "provider" });
    assert.equal(done.status, 303, done.text);
    assert.equal((await stands()).concurrency, 3);
    const [row] = await box.database.reads`
      select reason, before, after from audit_log where object_id = ${queue} order by id desc limit 1`;
    assert.deepEqual(
      [row!.reason, row!.before, row!.after],
      ["provider", { concurrency: null }, { concurrency: 3 }],
    );
  });

  test("leaves alone what its author did not touch, whoever changed it meanwhile", async () => {
    const fields = { ...(await open()), concurrency: "3" };
    await patch({ description: "by others", limits: { rate: { count: 5, seconds: 2 } } });
    assert.equal((await sure(fields)).status, 303);
    const rate = { count: 5, seconds: 2 };
    assert.deepEqual(await stands(), {
      ...{ description: "by others", concurrency: 3, rate, per_key: null },
    });
  });

  test("does not take back what somebody else made of the same limit, and tells both values", async () => {
    await patch({ description: "mail", limits: { concurrency: 1 } });
    const fields = { ...(await open()), concurrency: "3", description: "mine" };
    await patch({ limits: { concurrency: 7 } });
    const refused = await sure(fields);
    assert.equal(refused.status, 409);
    const sentence = /At once, at most was 1 when you opened the form, is 7 now, and you want 3\./;
    assert.match(refused.text, sentence);
    assert.deepEqual([(await stands()).concurrency, (await stands()).description], [7, "mail"]);
    const again = printed(refused.text);
    assert.deepEqual(
      [again.concurrency, again.seen_concurrency, again.description],
      ["3", "7", "mine"],
    );
    assert.equal((await sure(again)).status, 303);
    assert.deepEqual([(await stands()).concurrency, (await stands()).description], [3, "mine"]);
  });

  test("takes the same that somebody else saved for saved", async () => {
    const fields = { ...(await open()), concurrency: "3" };
    await patch({ limits: { concurrency: 3 } });
    assert.equal((await sure(fields)).status, 303);
  });

  test("knows a description again that has lines and blanks", async () => {
    await patch({ description: " two\nlines " });
    const fields = await open();
    const typed = fields.description!.replaceAll(/[\r\n]/g, "");
    const sent = { ...fields, description: typed, seen_description: " two\r\nlines " };
    assert.equal((await sure({ ...sent, concurrency: "2" })).status, 303);
    assert.equal((await stands()).description, " two\nlines ");
    assert.equal((await sure({ ...sent, description: "one" })).status, 303);
    assert.equal((await stands()).description, "one");
  });
});
