import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { FeedEvent } from "../../../src/engine/feed.ts";
import { LiveHub } from "../../../src/web/live/hub.ts";
import type { LiveMessage } from "../../../src/web/live/sse.ts";
import { isAfter, type LiveTopic, type TopicRequest } from "../../../src/web/live/topic.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeFeed } from "../../support/fake_feed.ts";
import { SseReader } from "../../support/sse_reader.ts";

/** Counts events by job and prints "job=count". */
class CountTopic implements LiveTopic {
  loads = 0;
  prints = 0;
  readonly counts = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #position: () => string;
  pad = "";

  constructor(position: () => string) {
    this.#position = position;
  }
  async load(): Promise<string> {
    this.loads += 1;
    return this.#position();
  }
  apply(events: readonly FeedEvent[]): void {
    for (const event of events) {
      this.counts.set(event.job, (this.counts.get(event.job) ?? 0) + 1);
      this.#dirty.add(event.job);
    }
  }
  isDirty(): boolean {
    return this.#dirty.size > 0;
  }
  async changes(): Promise<LiveMessage[]> {
    this.prints += 1;
    const jobs = [...this.#dirty];
    this.#dirty.clear();
    return [{ data: this.#print(jobs) }];
  }
  async full(): Promise<LiveMessage[]> {
    return [{ data: `all ${this.#print([...this.counts.keys()])}` }];
  }
  async missed(events: readonly FeedEvent[]): Promise<LiveMessage[]> {
    return [{ data: `missed ${this.#print([...new Set(events.map((e) => e.job))])}` }];
  }
  forget(): void {
    this.#dirty.clear();
  }
  #print(jobs: string[]): string {
    return jobs.map((job) => `${job}=${this.counts.get(job) ?? 0}`).join(" ") + this.pad;
  }
}

describe("the live hub", () => {
  let feed: FakeFeed;
  let hub: LiveHub;
  let topics: CountTopic[];
  let errors: unknown[];
  const readers: SseReader[] = [];

  function start(
    options: { memory?: number; flushMs?: number; pingMs?: number; keepMs?: number } = {},
  ) {
    feed = new FakeFeed(options.memory);
    topics = [];
    errors = [];
    hub = new LiveHub({
      feed,
      now: () => Date.now(),
      onError: (error) => errors.push(error),
      flushMs: 60,
      ...options,
    });
  }
  const request = (key = "t") => ({
    key,
    create: () => {
      const topic = new CountTopic(() => feed.position());
      topics.push(topic);
      return topic;
    },
  });
  function open(since: string | null = null, key?: string): SseReader {
    const stream = hub.stream([request(key)], { since, now: () => Date.now() });
    const reader = new SseReader(stream);
    readers.push(reader);
    return reader;
  }
  /** A reader of JSON. */
  function program(key: string): SseReader {
    const snapshot = (parts: Map<string, string>) => [...parts.values()].join();
    const stream = hub.stream([request(key)], { since: null, now: () => Date.now(), snapshot });
    const reader = new SseReader(stream);
    readers.push(reader);
    return reader;
  }
  const said = (reader: SseReader) => reader.of("").map((message) => message.data);

  beforeEach(() => start());
  afterEach(async () => {
    hub.stop();
    for (const reader of readers.splice(0)) await reader.close();
    assert.deepEqual(errors, []);
  });

  test("a new viewer gets the whole picture and where it stands", async () => {
    const reader = open();
    await reader.until((m) => m.length === 1);
    assert.deepEqual(said(reader), ["all "]);
    assert.equal(reader.lastId, feed.position());
  });

  test("any number of viewers share one topic, one load and one print of each change", async () => {
    const all = Array.from({ length: 50 }, () => open());
    await Promise.all(all.map((reader) => reader.until((m) => m.length === 1)));
    feed.emit({ job: "a" });
    await Promise.all(all.map((reader) => reader.until((m) => m.length === 2)));
    assert.equal(topics.length, 1);
    assert.equal(topics[0]!.loads, 1);
    assert.equal(topics[0]!.prints, 1);
    assert.equal(feed.listeners, 1);
    for (const reader of all) assert.deepEqual(said(reader), ["all ", "a=1"]);
  });

  test("a storm of events becomes few frames", async () => {
    start({ flushMs: 250 });
    const reader = open();
    await reader.until((m) => m.length === 1);
    const began = Date.now();
    while (Date.now() - began < 1_000) {
      feed.emit(...Array.from({ length: 100 }, () => ({ job: "a" })));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const total = topics[0]!.counts.get("a");
    await reader.until((m) => m.at(-1)?.data === `a=${total}`);
    const frames = reader.messages.length - 1;
    assert.ok(frames <= 6, `${frames} frames in about a second`);
    assert.equal(reader.lastId, feed.position());
  });

  test("a page whose picture is slow to print keeps no other page of that frame waiting, and no program", async () => {
    const slow = open(null, "slow");
    const others = [open(null, "quick"), program("json")];
    for (const reader of [slow, ...others]) await reader.until((m) => m.length === 1);
    const [topic] = topics;
    let print = () => {};
    const printed = new Promise<void>((done) => {
      print = done;
    });
    const changes = topic!.changes.bind(topic);
    topic!.changes = () => printed.then(changes);
    feed.emit({ job: "a" });
    for (const reader of others) await reader.until((m) => m.at(-1)?.data === "a=1");
    feed.emit({ job: "b" });
    await others[1]!.until((m) => m.at(-1)?.data === "b=1");
    assert.deepEqual(said(slow), ["all "]);
    print();
    await slow.until((m) => m.at(-1)?.data === "a=1 b=1");
  });

  test("who joins while a topic reads what has happened is told of it", async () => {
    let read = () => {};
    const isRead = new Promise<void>((done) => {
      read = done;
    });
    const state = { stale: false, text: "before" };
    const topic: LiveTopic = {
      load: async () => feed.position(),
      apply: () => {
        state.stale = true;
      },
      isDirty: () => state.stale,
      changes: async () => {
        // As a page does that is read anew: clean from the moment when it begins to read.
        state.stale = false;
        await isRead;
        state.text = "after";
        return [{ data: state.text }];
      },
      full: async () => [{ data: state.text }],
      missed: async () => [],
      forget: () => {},
    };
    const one = { key: "one", create: () => topic };
    await hub.topic(one);
    const reader = new SseReader(hub.stream([one], { since: null, now: () => Date.now() }));
    readers.push(reader);
    await eventually(() => hub.viewers === 1, "it is about to join");
    feed.emit({ job: "a" });
    await eventually(() => !state.stale, "what has happened is being read");
    read();
    await reader.until((m) => m.at(-1)?.data === "after");
  });

  test("the feed reads just before frames are printed, and for programs more often", async () => {
    start({ flushMs: 90 });
    const page = open();
    await page.until((m) => m.length === 1);
    feed.emit({ job: "a" });
    await page.until((m) => m.length === 2);
    assert.equal(feed.rhythm?.everyMs, 90);
    const reader = program("json");
    await reader.until((m) => m.length === 1);
    feed.emit({ job: "b" });
    await reader.until((m) => m.at(-1)?.data === "b=1");
    assert.equal(feed.rhythm?.everyMs, 45);
    await reader.close();
    await eventually(() => hub.viewers === 1, "it has left");
    const poll = {
      key: "poll",
      create: () => Object.assign(request().create(), { followsFeed: false }),
    };
    const counts = new SseReader(
      hub.stream([poll as TopicRequest], {
        since: null,
        now: () => Date.now(),
        snapshot: () => "",
      }),
    );
    readers.push(counts);
    await counts.until((m) => m.length === 1);
    feed.emit({ job: "c" });
    await page.until((m) => m.at(-1)?.data.includes("c=1") === true);
    assert.equal(feed.rhythm?.everyMs, 90);
  });

  test("a viewer that was cut gets what it missed and nothing twice", async () => {
    const first = open();
    await first.until((m) => m.length === 1);
    feed.emit({ job: "a" });
    await first.until((m) => m.length === 2);
    await first.close();
    feed.emit({ job: "b" }, { job: "c" }, { job: "b" });
    const second = open(first.lastId);
    await second.until((m) => m.length === 1);
    assert.deepEqual(said(second), ["missed b=2 c=1"]);
    assert.deepEqual(second.of("resync"), []);
    assert.equal(second.lastId, feed.position());
  });

  test("a gap that nobody remembers is a resync with the whole picture", async () => {
    start({ memory: 5 });
    const first = open();
    await first.until((m) => m.length === 1);
    await first.close();
    feed.emit(...Array.from({ length: 20 }, (_, i) => ({ job: `j${i % 2}` })));
    const second = open(first.lastId);
    await second.until((m) => m.length === 2);
    assert.equal(second.messages[0]!.event, "resync");
    assert.deepEqual(said(second), ["all j0=10 j1=10"]);
  });

  test("an id that is none of ours is a resync", async () => {
    const reader = open("no such id");
    await reader.until((m) => m.length === 2);
    assert.equal(reader.messages[0]!.event, "resync");
  });

  test("what the picture holds already is not applied again", async () => {
    const slow = new CountTopic(() => feed.position());
    let release = () => {};
    slow.load = async () => {
      const position = feed.position();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return position;
    };
    feed.emit({ job: "before" });
    const opened = hub.topic({ key: "slow", create: () => slow });
    feed.emit({ job: "during" });
    release();
    await opened;
    assert.deepEqual([...slow.counts], [["during", 1]]);
  });

  test("a page goes on exactly where it was printed", async () => {
    const page = await hub.topic(request());
    feed.emit({ job: "a" });
    const reader = open(page.id);
    await reader.until((m) => m.length === 1);
    assert.deepEqual(said(reader), ["missed a=1"]);
    assert.equal(topics.length, 1);
  });

  test("pings carry the position, so that a quiet viewer need not resync", async () => {
    start({ pingMs: 50 });
    const reader = open();
    await reader.until(() => reader.of("ping").length > 0);
    feed.emit({ job: "a" });
    const position = feed.position();
    await reader.until(() => reader.of("ping").at(-1)?.id === position);
    assert.ok(JSON.parse(reader.of("ping")[0]!.data).at);
  });

  test("a viewer that does not read is bounded, harms nobody, and catches up", async () => {
    start({ flushMs: 5 });
    const stream = hub.stream([request()], { since: null, now: () => Date.now() });
    const other = open();
    await other.until((m) => m.length === 1);
    topics[0]!.pad = `.${"x".repeat(200_000)}`;
    for (let i = 0; i < 40; i++) {
      feed.emit({ job: "a" });
      await other.until((m) => m.at(-1)!.data.startsWith(`a=${i + 1}.`));
    }
    topics[0]!.pad = "";
    const slow = new SseReader(stream);
    readers.push(slow);
    await slow.until((m) => m.at(-1)?.data === "missed a=40");
    assert.deepEqual(slow.of("resync"), [], "what it had is still remembered");
    const received = slow.messages.reduce((sum, message) => sum + message.data.length, 0);
    assert.ok(received < 2_500_000, `${received} of 8,000,000 characters waited for it`);
    feed.emit({ job: "b" });
    await slow.until((m) => m.at(-1)?.data === "b=1");
  });

  test("viewers who come back at once are told from one print of what they missed", async () => {
    const first = open();
    await first.until((m) => m.length === 1);
    let missed = 0;
    const topic = topics[0]!;
    topic.missed = async (events) => {
      missed += 1;
      return [{ data: `missed ${events.length}` }];
    };
    await first.close();
    feed.emit({ job: "a" }, { job: "b" });
    const all = Array.from({ length: 50 }, () => open(first.lastId));
    await Promise.all(all.map((reader) => reader.until((m) => m.length === 1)));
    for (const reader of all) assert.deepEqual(said(reader), ["missed 2"]);
    assert.equal(missed, 1);
  });

  /** Reads of this topic's picture wait until the answer is called. */
  function holdLoads(topic: CountTopic) {
    const read = topic.load.bind(topic);
    const loads: (() => void)[] = [];
    topic.load = async () => {
      await new Promise<void>((go) => loads.push(go));
      return read();
    };
    return loads;
  }

  test("a picture that is read anew for one viewer keeps no event from another", async () => {
    const each: string[] = [];
    class EachTopic extends CountTopic {
      held(events: readonly FeedEvent[]): void {
        each.push(...events.map(({ job }) => job));
      }
    }
    const topic = new EachTopic(() => feed.position());
    const asked = { key: "each", create: () => topic };
    await hub.topic(asked);
    const loads = holdLoads(topic);
    feed.settled = () => new Promise(() => {});
    const again = hub.topic(asked);
    await eventually(() => loads.length === 1, "it is being read");
    feed.emit({ job: "held" });
    loads[0]!();
    await again;
    assert.deepEqual([each, [...topic.counts]], [["held"], []]);
  });

  test("who comes while a picture is read anew is told nothing twice", async () => {
    const first = open();
    await first.until((m) => m.length === 1);
    const since = first.lastId;
    await first.close();
    const topic = topics[0]!;
    topic.load = async () => since;
    const loads = holdLoads(topic);
    feed.settled = () => new Promise(() => {});
    const reading = hub.topic(request());
    await eventually(() => loads.length === 1, "it is being read");
    feed.settled = async () => {};
    feed.emit({ job: "a" });
    const reader = open(since);
    const other = open(null, "other");
    await other.until((m) => m.length === 1);
    assert.deepEqual(said(reader), []);
    loads[0]!();
    await reading;
    await reader.until((m) => m.length === 1);
    feed.emit({ job: "b" });
    await reader.until((m) => m.length === 2);
    assert.deepEqual(said(reader), ["missed a=1", "b=1"]);
  });

  test("nobody's position passes news that wait until a picture was read", async () => {
    const both = hub.stream([request("a"), request("b")], { since: null, now: () => Date.now() });
    const reader = new SseReader(both);
    readers.push(reader);
    await reader.until((m) => m.length === 2);
    const before = reader.lastId;
    topics[0]!.load = async () => before;
    const loads = holdLoads(topics[0]!);
    feed.settled = () => new Promise(() => {});
    const printed = hub.topic(request("a"));
    await eventually(() => loads.length === 1, "it is being read");
    feed.emit({ job: "late" });
    await reader.until((m) => m.at(-1)?.data === "late=1");
    assert.equal(reader.lastId, before);
    loads[0]!();
    await printed;
    feed.emit({ job: "next" });
    await reader.until((m) => m.filter(({ data }) => data.includes("late=1")).length === 2);
    assert.equal(reader.lastId, feed.position());
  });

  test("when the last viewer has gone, nothing runs any more", async () => {
    start({ keepMs: 0 });
    const reader = open();
    await reader.until((m) => m.length === 1);
    assert.equal(feed.listeners, 1);
    await reader.close();
    await eventually(() => feed.listeners === 0 && hub.viewers === 0, "the hub rests");
    const again = open();
    await again.until((m) => m.length === 1);
    assert.equal(topics.length, 2);
  });

  test("a topic that cannot be read ends its stream, and the next viewer tries anew", async () => {
    let fails = true;
    const flaky = {
      key: "flaky",
      create: () => {
        const topic = new CountTopic(() => feed.position());
        if (fails) topic.load = () => Promise.reject(new Error("no database"));
        return topic;
      },
    };
    const reader = new SseReader(hub.stream([flaky], { since: null, now: () => Date.now() }));
    await eventually(() => reader.ended, "the stream ends");
    assert.ok(errors.length > 0);
    errors.length = 0;
    fails = false;
    await hub.topic(flaky);
  });

  test("a feed that stands still is read around", async () => {
    const reader = open();
    await reader.until((m) => m.length === 1);
    feed.stalled = Date.now() - 10_000;
    await reader.until(() => reader.of("resync").length === 1);
    assert.equal(topics[0]!.loads, 2);
    feed.stalled = null;
  });

  test("where the feed leaves events out, every viewer is told and gets a fresh picture", async () => {
    const all = [open(), open(null, "other")];
    await Promise.all(all.map((reader) => reader.until((m) => m.length === 1)));
    const before = feed.position();
    for (const topic of topics) topic.load = async () => topic.counts.set("missed", 7) && "";
    feed.leap(100_000);
    feed.emit({ job: "a" });
    for (const reader of all) {
      await reader.until(() => reader.of("resync").length === 1);
      await reader.until(() => said(reader).join().includes("missed=7"));
      await reader.until(() => said(reader).join().includes("a=1"));
    }
    const late = open(before);
    await late.until(() => late.of("resync").length === 1);
    const next = feed.emit({ job: "b" });
    await all[0]!.until(() => all[0]!.lastId === next[0]!.id);
    assert.equal(all[0]!.of("resync").length, 1);
  });

  test("stopping ends every stream", async () => {
    const all = [open(), open(null, "other")];
    await Promise.all(all.map((reader) => reader.until((m) => m.length === 1)));
    hub.stop();
    await eventually(() => all.every((reader) => reader.ended), "both streams end");
    assert.throws(() => open(), /stopping/);
  });

  test("too many different views are refused, not piled up", async () => {
    for (let i = 0; i < 200; i++) open(null, `view ${i}`);
    assert.throws(() => open(null, "one more"), /Too many/);
  });
});

test("ids are compared by their numbers, not as text", () => {
  assert.equal(isAfter("100.2", "99.9"), true);
  assert.equal(isAfter("100.10", "100.9"), true);
  assert.equal(isAfter("100.9", "100.9"), false);
  assert.equal(isAfter("99999999999999999999.1", "99999999999999999998.9"), true);
});
