/** Live streams: each of the cast hears of what it sees while it happens, and nothing once it may not. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { SseReader } from "../support/sse_reader.ts";
import { ACME, type Actor, CAST, OPEN } from "./cast.ts";
import { textOf } from "./heard.ts";
import { get, post } from "./rows.ts";
import { type Seeded, seed, submit, V1, type World } from "./seed.ts";
import { type Stage, stage } from "./stage.ts";

const SSE = { accept: "text/event-stream" };
/** Whom of the cast each organization is hidden from. */
const HIDDEN: Record<string, readonly Actor[]> = {
  [ACME]: ["foreigner", "anonymous"],
  [OPEN]: ["narrowed"],
};

describe("a live stream", () => {
  let box: Stage;
  let world: World;
  let happened = 0;
  const readers: SseReader[] = [];
  before(async () => {
    box = await stage();
    world = await seed(box);
  });
  after(async () => {
    for (const reader of readers) await reader.close();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function open(actor: Actor, path: string, headers: Record<string, string> = SSE) {
    const response = await box.fetch(actor, get(path, headers));
    assert.equal(response.status, 200, `${actor} ${path}: ${response.status}`);
    const reader = new SseReader(response.body!);
    readers.push(reader);
    return reader;
  }

  /** Something of everything: a job through all its states, a queue, a worker that comes and goes. */
  async function happen(seeded: Seeded): Promise<{ id: string; worker: string }> {
    const { org } = seeded;
    happened += 1;
    const pool = `${org}-comer-${happened}`;
    const comer = await box.worker(org, { name: pool, pool });
    const requirements = { pool };
    const id = await submit(box, seeded, { requirements, queue: pool });
    const lease = await comer.take(id);
    comer.start(lease);
    comer.end(lease, { result: { text: `${org}-result` }, exit_code: 0 });
    const pause = post(`${V1}/orgs/${org}/queues/${pool}/pause`, { reason: `${org}-why` });
    await box.ask("superuser", pause);
    return { id, worker: comer.id };
  }

  function secretsOf(seeded: Seeded, news: { id: string; worker: string }): string[] {
    return [...seeded.secrets, news.id, news.worker];
  }

  test("of every topic and panel tells everybody what they see and nothing else", async () => {
    const paths = [
      `${V1}/board/live`,
      "/board/stream?panels=live,counts",
      `/board/stream?panels=job&job=${world.open.jobs.running}`,
      `/board/stream?panels=job&job=${world.acme.jobs.running}`,
    ];
    const streams: { actor: Actor; path: string; reader: SseReader }[] = [];
    for (const actor of CAST) {
      const own = actor === "anonymous" ? [`${V1}/board/live?topics=counters`] : paths;
      for (const path of own) streams.push({ actor, path, reader: await open(actor, path) });
    }
    for (const { reader } of streams) await reader.until((m) => m.length > 0);
    const acme = await happen(world.acme);
    const open_ = await happen(world.open);
    const asked = box.ask("superuser", post(`${V1}/jobs/${world.acme.jobs.running}/cancel`));
    assert.equal((await asked).status, 200);
    for (const { actor, path, reader } of streams) {
      const hears = (seeded: Seeded, id: string) =>
        HIDDEN[seeded.org]!.includes(actor) || textOf(reader).includes(id);
      const isWide = path.endsWith("/board/live") || path.includes("panels=live");
      if (!isWide) continue;
      await eventually(
        () => hears(world.acme, acme.id) && hears(world.open, open_.id),
        `${actor} hears on ${path} of what happened`,
      );
    }
    await eventually(() => {
      const of = streams.find(
        ({ actor, path }) =>
          actor === "viewer" &&
          path.includes("panels=job") &&
          path.includes(world.acme.jobs.running!),
      );
      return /cancel/i.test(textOf(of!.reader));
    }, "a member hears of the job that is asked to stop");
    for (const { actor, path, reader } of streams) {
      const text = JSON.stringify(reader.messages);
      for (const [seeded, news] of [
        [world.acme, acme],
        [world.open, open_],
      ] as const) {
        const isPublic = actor === "anonymous" && seeded.org === OPEN;
        if (!HIDDEN[seeded.org]!.includes(actor) && !isPublic) continue;
        for (const secret of secretsOf(seeded, news)) {
          const at = text.indexOf(secret);
          const told = text.slice(Math.max(0, at - 300), at + 100);
          assert.equal(at, -1, `${actor} hears on ${path}: ${told}`);
        }
      }
    }
  });

  test("that goes on after a cut leaves out what was hidden meanwhile", async () => {
    for (const path of [`${V1}/board/live?topics=jobs`, "/board/stream?panels=live"]) {
      const first = await open("foreigner", path);
      await first.until(() => first.lastId !== "");
      await first.close();
      const acme = await happen(world.acme);
      const open_ = await happen(world.open);
      await box.engine.feed.settled();
      const again = await open("foreigner", path, { ...SSE, "last-event-id": first.lastId });
      await again.until(() => JSON.stringify(again.messages).includes(open_.id));
      assert.deepEqual(again.of("resync"), [], "it goes on, and does not begin anew");
      const text = JSON.stringify(again.messages);
      for (const secret of secretsOf(world.acme, acme)) assert.equal(text.includes(secret), false);
    }
  });

  test("that cannot go on begins anew with what is seen", async () => {
    for (const path of [`${V1}/board/live`, "/board/stream?panels=live,counts"]) {
      const reader = await open("foreigner", path, { ...SSE, "last-event-id": "1.1" });
      await reader.until(() => reader.of("resync").length === 1 && reader.lastId !== "");
      await reader.until(() => JSON.stringify(reader.messages).includes(world.open.jobs.ready!));
      const text = JSON.stringify(reader.messages);
      for (const secret of world.acme.secrets) assert.equal(text.includes(secret), false, secret);
    }
  });

  test("tells strangers no positions, which count what happens anywhere", async () => {
    const reader = await open("anonymous", `${V1}/board/live?topics=counters`);
    await reader.until((m) => m.length > 0);
    const before = reader.of("counters").length;
    await submit(box, world.open, { queue: world.open.queue });
    await reader.until(() => reader.of("counters").length > before);
    assert.equal(reader.lastId, "");
    assert.equal(JSON.parse(reader.of("snapshot")[0]!.data).id, "");
  });

  test("is shared by all who see the same", async () => {
    const table = `${V1}/board/live?topics=jobs`;
    const [one, other] = await Promise.all([open("owner", table), open("viewer", table)]);
    await Promise.all([one, other].map((reader) => reader.until((m) => m.length > 0)));
    const { id } = await happen(world.acme);
    for (const reader of [one, other]) {
      await reader.until(() => textOf(reader).includes(id));
    }
    const told = (reader: SseReader) => reader.of("job").map(({ data }) => data);
    await eventually(() => told(one).length === told(other).length, "both have heard all");
    assert.deepEqual(told(one), told(other));
  });

  test("ends when its reader may read no more, whatever it is a stream of", async () => {
    const running = world.acme.jobs.dispatched;
    const paths = [
      `${V1}/board/live?topics=jobs`,
      "/board/stream?panels=live",
      `${V1}/jobs/${running}/log/stream`,
      `/board/jobs/${running}/log?attempt=1`,
    ];
    const theirs = await Promise.all(paths.map((path) => open("member", path)));
    const others = await Promise.all(paths.map((path) => open("viewer", path)));
    const watched = box.access.watched();
    assert.ok(watched >= 8);
    box.access.revoke("member");
    await eventually(() => theirs.every(({ ended }) => ended), "all of theirs have ended", {
      deadlineMs: 1_000,
    });
    assert.ok(
      others.every(({ ended }) => !ended),
      "and nobody else's",
    );
  });

  test("is forgotten once it has ended by itself", async () => {
    for (const reader of readers) await reader.close();
    await eventually(() => box.access.watched() === 0, "nobody is watched");
    const path = `${V1}/jobs/${world.acme.jobs.failed}/log/stream`;
    const reader = await open("viewer", path);
    await eventually(() => reader.ended, "it has ended");
    await eventually(() => box.access.watched() === 0, "nobody is watched");
  });
});
