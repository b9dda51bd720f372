/** A job's page as a topic, while its rows are read and things go on meanwhile. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { superuserScope } from "../../../src/core/scope.ts";
import type { FeedEvent } from "../../../src/engine/feed.ts";
import { JobTopic } from "../../../src/pages/job/live.ts";
import { loadAssets } from "../../../src/web/assets.ts";
import { createRenderer } from "../../../src/web/render.ts";
import type { BoardDeps } from "../../../src/web/shell.ts";
import { JOBS } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { eventually } from "../../support/eventually.ts";

const at = (folder: string) => fileURLToPath(new URL(`../../../${folder}`, import.meta.url));

describe("a job's page that is being read", () => {
  let box: BoardBox;
  let events: FeedEvent[];
  /** Reads of the page's statement that have begun, and what lets them answer. */
  let begun: number;
  let gate: Promise<void>;
  let open: () => void;
  const stops: (() => void)[] = [];
  before(async () => {
    box = await boardBox({ alone: true });
    stops.push(box.engine.feed.subscribe((some) => events.push(...some)));
  });
  beforeEach(() => {
    events = [];
    begun = 0;
    gate = Promise.resolve();
    open = () => {};
  });
  after(async () => {
    for (const stop of stops) stop();
    await box.close();
  });

  const hold = () => {
    gate = new Promise((done) => {
      open = done;
    });
  };
  async function page() {
    const { json } = await box.call("POST", JOBS, { name: "held", kind: "handler" });
    const reads = new Proxy(box.database.reads, {
      apply: (sql, self, args) => {
        const asked = Reflect.apply(sql, self, args);
        if (!String(args[0]).includes("with wanted")) return asked;
        begun += 1;
        return (async () => {
          const rows = await asked;
          await gate;
          return rows;
        })();
      },
    });
    const { engine, directory } = box;
    const deps = { engine, directory, database: { reads } } as unknown as BoardDeps;
    const onMissing = (template: string, value: string) => assert.fail(`${template}: ${value}`);
    const renderer = createRenderer({
      views: at("views"),
      assets: loadAssets(at("public")),
      onMissing,
    });
    const topic = new JobTopic(
      { deps, renderer },
      { id: json.id, attempt: null, scope: superuserScope() },
    );
    await topic.load();
    await topic.changes();
    return { id: json.id as string, topic };
  }
  const cancel = async (id: string) => {
    await box.call("POST", `/api/v1/jobs/${id}/cancel`, {});
    await box.engine.feed.settled();
    return events.filter(({ job }) => job === id);
  };

  test("is told of what happens meanwhile, and not before it is read again", async () => {
    const { id, topic } = await page();
    hold();
    begun = 0;
    const ticked = topic.tick();
    await eventually(() => begun === 1, "it is read");
    // The answer was made before the job ended.
    topic.apply(await cancel(id));
    const told = topic.changes();
    open();
    await ticked;
    assert.match((await told)[0]!.data, /s-cancelled/);
    assert.equal(topic.isDirty(), false);
  });

  test("stays to be told until it was read for those who watch, and whoever comes meanwhile gets no older one", async () => {
    const { id, topic } = await page();
    topic.apply(await cancel(id));
    begun = 0;
    await topic.tick();
    assert.equal(begun, 0);
    assert.equal(topic.isDirty(), true);
    hold();
    const told = topic.changes();
    await eventually(() => begun === 1, "it is read");
    assert.equal(topic.isDirty(), true);
    const whole = topic.full();
    open();
    for (const messages of await Promise.all([told, whole])) {
      assert.match(messages[0]!.data, /s-cancelled/);
    }
  });

  test("is read once at a time, however often it is to be looked at", async () => {
    const { topic } = await page();
    hold();
    begun = 0;
    const ticks = Array.from({ length: 5 }, () => topic.tick());
    await eventually(() => begun > 0, "it is read");
    open();
    await Promise.all(ticks);
    assert.equal(begun, 1);
    await topic.tick();
    assert.equal(begun, 2);
  });
});
