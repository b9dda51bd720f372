/** Viewers on real sockets that are cut by force, in the midst of much: what they know at the end is what is. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Truth } from "../../../bench/support/truth.ts";
import { LiveViewer, type ViewerKind } from "../../../bench/support/viewer.ts";
import { type HandWorker, JOBS, TOKEN } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { eventually } from "../../support/eventually.ts";

describe("viewers that are cut off", () => {
  let box: BoardBox;
  let worker: HandWorker;
  let url: string;
  const since = new Date(Date.now() - 1_000).toISOString();
  const viewers: LiveViewer[] = [];
  before(async () => {
    box = await boardBox({ alone: true });
    worker = await box.worker({ name: "ada", handlers: ["work"] });
    url = await box.serve();
  });
  after(async () => {
    for (const viewer of viewers) viewer.close();
    worker.leave();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function open(shows: ViewerKind["shows"], path: string, more: Partial<ViewerKind> = {}) {
    const kind = { shows, path, token: TOKEN, org: "", queue: "", job: "", ...more };
    const viewer = new LiveViewer(url, kind, { retryMs: () => null });
    viewers.push(viewer);
    viewer.open();
    await eventually(() => viewer.isConnected, `a viewer of ${path} has its picture`);
    return viewer;
  }
  async function submit(jobs: number): Promise<string[]> {
    const some = Array.from({ length: jobs }, (_, n) => {
      return { name: "work", kind: "handler", queue: n % 3 === 0 ? "mail" : "builds" };
    });
    return (await box.call("POST", `${JOBS}/bulk`, { jobs: some })).json.ids;
  }
  /** All are begun; all but every seventh end. */
  async function work(ids: string[]): Promise<string[]> {
    const left: string[] = [];
    for (const [n, id] of ids.entries()) {
      const lease = await worker.take(id);
      worker.start(lease);
      if (n % 7 === 6) left.push(id);
      else worker.end(lease, { outcome: n % 5 === 0 ? "failed" : "succeeded" });
    }
    await box.reaches(ids[0]!, "succeeded", "failed");
    return left;
  }
  async function allTrue(): Promise<void> {
    await eventually(
      async () => {
        const truth = new Truth({ url, token: TOKEN, orgs: ["default"], since });
        for (const viewer of viewers) assert.equal(await truth.against(viewer), null);
        return true;
      },
      "every picture is what the API answers",
      { deadlineMs: 20_000 },
    );
  }

  test("know in the end what the API answers, whatever happened meanwhile", async () => {
    const [job] = await submit(1);
    const page = `/board/stream?panels=job&job=${job}`;
    const live = "/board/stream?panels=live,counts";
    const stays = await open("table", live);
    const cut = [
      await open("table", live),
      await open("table", `${live}&queue=mail`, { queue: "mail" }),
      await open("job", page, { job: job! }),
      await open("phases", "/api/v1/board/live?topics=jobs"),
    ];
    const early = await submit(60);
    const running = await work(early);
    await eventually(() => cut[0]!.picture.states.get(early[0]!) === "failed", "they saw it end");
    const late = await submit(60);
    for (const viewer of cut) viewer.cut();
    running.push(...(await work(late)));
    for (const id of running.splice(0, 5)) worker.end(await worker.take(id));
    await work([job!]);
    // Rows leave the table without an event, and they who were cut off must learn of that too.
    await eventually(() => !stays.picture.states.has(early[0]!), "what has ended has left");
    for (const viewer of cut) viewer.open();
    await submit(20);
    await allTrue();
    for (const viewer of viewers) assert.equal(viewer.resyncs, 0);
  });
});
