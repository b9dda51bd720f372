/** As many as can be ticked at once, with the longest names, over a real socket. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { JOBS, TOKEN } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";

const QUEUES = Array.from({ length: 200 }, (_, n) => `q${n}-${"x".repeat(63)}`.slice(0, 63));
let box: BoardBox;
let base: string;

before(async () => {
  box = await boardBox();
  base = await box.serve();
  const jobs = QUEUES.map((queue) => ({ name: "work", queue, payload: { command: ["true"] } }));
  assert.equal((await box.call("POST", `${JOBS}/bulk`, { jobs })).status, 201);
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const send = async (queues: string[], more: [string, string][] = []) => {
  const fields = [["do", "stop"], ...queues.map((queue) => ["item", `default/${queue}`]), ...more];
  const response = await fetch(`${base}/board/service/confirm`, {
    method: "POST",
    redirect: "manual",
    headers: { authorization: `Bearer ${TOKEN}`, accept: "text/html" },
    body: new URLSearchParams(fields),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const operations = () => box.database.reads`select id, filter from operation`;

test("two hundred queues are looked at and stopped as one", async () => {
  const look = await send(QUEUES, [["look", "yes"]]);
  assert.equal(look.status, 200);
  assert.match(look.text, /Stops 200 pending jobs in 200 queues/);
  assert.match(look.text, /and 180 more/);
  assert.equal((await operations()).length, 0, "a look stops nothing");
  const stopped = await send(QUEUES);
  assert.equal(stopped.status, 303);
  const found = await operations();
  assert.equal(found.length, 1);
  assert.equal(found[0]!.filter.queue_ids.length, 200);
  const page = await box.get(stopped.headers.get("location")!);
  assert.match(await page.text(), /and 197 more/);
});

test("more are refused with a sentence", async () => {
  const { status, text } = await send([...QUEUES, "one-more"], [["look", "yes"]]);
  assert.equal(status, 422);
  assert.match(text, /At most 200 can be ticked/);
});
