import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sql } from "../../src/db/client.ts";
import { Pipeline } from "../../src/engine/pipeline.ts";
import { eventually } from "../support/eventually.ts";

const MAX = 3;
const log = { info: () => {}, warn: () => {}, error: () => {} };

/** A pipeline whose beats are answered by hand, each by its place among those that were sent. */
function aPipeline() {
  const sent: number[][] = [];
  const told: number[][] = [];
  const answers: { done(): void; fail(error: Error): void }[] = [];
  const pipeline = new Pipeline<number, null>({
    name: "test",
    sql: undefined as unknown as Sql,
    log,
    max: MAX,
    write: () => Promise.reject(new Error("unused")),
    writeAlone: (_, items) => {
      sent.push(items);
      return new Promise((done, fail) => answers.push({ done: () => done(null), fail }));
    },
    committed: (items) => void told.push(items),
    onBad: () => null,
  });
  const count = (n: number) => eventually(() => sent.length >= n, `${n} beats are sent`);
  /** Whatever would be sent by itself has been. */
  const quiet = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((next) => setImmediate(next));
  };
  return { pipeline, sent, told, answers, count, quiet };
}
const inOrder = (told: number[][]) => told.flat().sort((a, b) => a - b);
const items = (from: number, n: number) => Array.from({ length: n }, (_, at) => from + at);

test("a full beat is sent before the former is answered, and never a third", async () => {
  const { pipeline, sent, told, answers, count, quiet } = aPipeline();
  pipeline.add(items(0, MAX * 4));
  await count(2);
  await quiet();
  assert.deepEqual(sent, [items(0, 3), items(3, 3)]);
  answers[0]!.done();
  await count(3);
  await quiet();
  assert.deepEqual(told, [items(0, 3)]);
  assert.equal(sent.length, 3);
  for (let at = 1; at < 4; at++) {
    await count(at + 1);
    answers[at]!.done();
  }
  await pipeline.idle();
  assert.deepEqual(inOrder(told), items(0, MAX * 4));
});

test("what does not fill a beat waits for the answer, and travels together", async () => {
  const { pipeline, sent, answers, count, quiet } = aPipeline();
  pipeline.add(items(0, 1));
  await count(1);
  pipeline.add(items(1, 1));
  await quiet();
  pipeline.add(items(2, 1));
  await quiet();
  assert.deepEqual(sent, [[0]]);
  answers[0]!.done();
  await count(2);
  assert.deepEqual(sent[1], [1, 2]);
  answers[1]!.done();
  await pipeline.idle();
  assert.equal(pipeline.busy, false);
});

test("what waits is sent at once where no beat is in flight, before the answered ones are told", async () => {
  const { pipeline, sent, told, answers, count, quiet } = aPipeline();
  pipeline.add(items(0, MAX * 2 + 1));
  await count(2);
  answers[0]!.done();
  answers[1]!.done();
  await count(3);
  assert.deepEqual(sent[2], [MAX * 2]);
  await quiet();
  assert.deepEqual(inOrder(told), items(0, MAX * 2));
  answers[2]!.done();
  await pipeline.idle();
});

test("the rest of two full beats is sent by whichever is answered first", async () => {
  for (const first of [0, 1]) {
    const { pipeline, sent, told, answers, count } = aPipeline();
    pipeline.add(items(0, MAX));
    await count(1);
    pipeline.add(items(MAX, MAX + 1));
    await count(2);
    answers[first]!.done();
    answers[1 - first]!.done();
    await count(3);
    assert.deepEqual(sent[2], [MAX * 2]);
    answers[2]!.done();
    await pipeline.idle();
    assert.deepEqual(inOrder(told), items(0, MAX * 2 + 1));
  }
});

test("a beat that deadlocks is written again while the other stays as it was", async () => {
  const { pipeline, sent, told, answers, count } = aPipeline();
  pipeline.add(items(0, MAX));
  await count(1);
  pipeline.add(items(MAX, MAX));
  await count(2);
  answers[0]!.fail(Object.assign(new Error("deadlock detected"), { code: "40P01" }));
  answers[1]!.done();
  await count(3);
  assert.deepEqual(sent[2], sent[0]);
  answers[2]!.done();
  await pipeline.idle();
  assert.deepEqual(told, [sent[1], sent[0]]);
});
