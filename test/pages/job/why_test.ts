import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JOBS, V1 } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { eventually } from "../../support/eventually.ts";

describe("why a job is not running, on its page and by the API", () => {
  let box: BoardBox;
  let first: string;
  before(async () => {
    box = await boardBox();
  });
  after(async () => {
    await box.close();
    assert.deepEqual(box.troubles, []);
  });

  const submit = async () => {
    const input = { name: "hello", payload: { command: ["true"] } };
    return (await box.call("POST", JOBS, input)).json.id as string;
  };
  const vetoes = async (id: string) =>
    (await box.call("GET", `${V1}/jobs/${id}/explain`)).json.vetoes as {
      rule: string;
      sentence: string;
      unblocks: string;
    }[];
  const page = async (id: string) => (await box.get(`/board/jobs/${id}`)).text();

  test("is told where no worker is connected at all, with what unblocks it", async () => {
    const id = await submit();
    first = id;
    const [veto, ...more] = await vetoes(id);
    assert.deepEqual(more, []);
    assert.equal(veto!.rule, "no_worker");
    assert.match(veto!.sentence, /^No worker is connected/);
    assert.match(veto!.unblocks, /^Start a worker: signalbox worker --url/);
    const shown = await page(id);
    assert.match(shown, /No worker is connected/);
    assert.match(shown, /Start a worker/);
    assert.ok(!shown.includes("None of the 0"), "one sentence, not two");
  });

  test("is no longer told of a worker once one is there", async () => {
    const worker = await box.worker({ concurrency: 1 });
    await worker.take(first);
    const rest = await submit();
    assert.deepEqual(await vetoes(rest), []);
    assert.match(await page(rest), /no (free )?slot|slots/i);
    worker.leave();
    // What it held keeps its lease for the grace time; the worker itself is gone.
    await eventually(async () => (await vetoes(rest))[0]?.rule === "no_worker", "it has left", {
      deadlineMs: 30_000,
    });
  });
});
