/**
 * Thousands of hostile connections against a real engine, beside one honest worker. Whatever they
 * send ends at most their own connection, with a reason, or their own job; the honest worker keeps
 * its connection and its jobs, and afterwards the rows are as they must be.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { openFolderLogStore } from "../../src/blobs/folder_log_store.ts";
import type { LogStore } from "../../src/blobs/log_store.ts";
import type { Assignment, LeaseRef, ServerFrame } from "../../src/messages/frames.ts";
import { createWorkerEndpoint, type WorkerEndpoint } from "../../src/protocol/endpoint.ts";
import { REFUSALS } from "../../src/protocol/refusal.ts";
import type { SocketHandlers } from "../../src/runtime/contract.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import { admitOnly } from "../support/worker_door.ts";
import { damaged, type Json, noise, poison, reports } from "./frame_arbitraries.ts";

const TOKEN = "worker-token-0123456789abcdef0123456789";
const HELD = 40;
const CODES = new Set<string>(Object.keys(REFUSALS));

let rig: Rig;
let logs: LogStore;
let folder: string;
let endpoint: WorkerEndpoint;
let honest: Peer;
let held: Assignment[];
let heart: ReturnType<typeof setInterval>;

/** One socket into the endpoint, without a network between. */
class Peer {
  readonly frames: ServerFrame[] = [];
  closed: { code: number; reason: string } | null = null;
  #handlers!: SocketHandlers;

  constructor() {
    endpoint(new Request("http://box/worker/v1"), {
      remoteAddress: "127.0.0.1",
      upgrade: (handlers) => {
        this.#handlers = handlers;
        handlers.open(this.#socket);
        return new Response(null);
      },
    });
  }

  readonly #socket = {
    buffered: () => 0,
    send: (text: string) => this.frames.push(JSON.parse(text)),
    close: (code: number, reason: string) => {
      this.closed ??= { code, reason };
    },
  };

  say(frame: unknown): void {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.#handlers.message(this.#socket, text);
  }

  /** As a network does when the peer is gone. */
  hangUp(): void {
    this.#handlers.close(1006, "");
  }

  async welcomed(): Promise<void> {
    await eventually(() => this.closed ?? this.frames[0], "an answer to hello", { everyMs: 2 });
  }

  get assigned(): Assignment[] {
    return this.frames.flatMap((frame) => (frame.type === "assign" ? frame.jobs : []));
  }

  /** Ended with a reason: an error frame last, and the close code that belongs to it. */
  assertRefused(): void {
    const last = this.frames.at(-1);
    assert.ok(last?.type === "error", `the last frame was ${JSON.stringify(last)}`);
    assert.ok(CODES.has(last.code), last.code);
    assert.ok(last.message.length > 10);
    assert.equal(this.closed?.code, REFUSALS[last.code as keyof typeof REFUSALS]);
  }
}

const hello = (over: object = {}) => ({
  type: "hello",
  protocol: 1,
  version: "fuzz",
  worker_id: crypto.randomUUID(),
  token: TOKEN,
  name: "fuzz",
  pid: 1,
  host: "h",
  concurrency: 2,
  kinds: ["handler"],
  handlers: ["prey"],
  ...over,
});

before(async () => {
  rig = await Rig.start({ leaseSeconds: 10 });
  folder = await mkdtemp(join(tmpdir(), "fuzz-"));
  logs = await openFolderLogStore(folder);
  endpoint = createWorkerEndpoint({
    engine: rig.engine,
    logs,
    log: {
      info() {},
      warn() {},
      error: (fields, message) => rig.logs.push({ level: "error", facts: fields, message }),
    },
    access: admitOnly(TOKEN),
  });
  honest = new Peer();
  honest.say(hello({ name: "honest", concurrency: HELD + 10, handlers: ["work"] }));
  const jobs = Array.from({ length: HELD }, () => ({ name: "work" }));
  await rig.submitMany(jobs);
  await eventually(() => honest.assigned.length === HELD, "the honest worker has its jobs");
  held = [...honest.assigned];
  honest.say({ type: "started", jobs: held.map(leaseOf) });
  heart = setInterval(() => honest.say({ type: "heartbeat" }), 1_000);
  await rig.submitMany(Array.from({ length: 400 }, () => ({ name: "prey", max_attempts: 3 })));
});

after(async () => {
  clearInterval(heart);
  honest.hangUp();
  await rig.stop();
  await logs.close();
  await rm(folder, { recursive: true });
});

function leaseOf({ job, attempt, token }: LeaseRef): LeaseRef {
  return { job, attempt, token };
}

const limits = { numRuns: 2_000 };

test("without a valid token nothing reaches the engine, whatever is sent", {
  timeout: 60_000,
}, async () => {
  const count = async () => (await rig.sql`select count(*)::int as n from worker_connection`)[0]!.n;
  const before = await count();
  const wrongToken = fc.oneof(poison, fc.string(), fc.constant(`${TOKEN} `));
  const stranger = fc.oneof(
    noise,
    reports,
    damaged(reports),
    wrongToken.map((token) => hello({ token })),
    damaged(fc.constant(hello({ token: "no" }) as Json)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(stranger, { minLength: 1, maxLength: 4 }), async (messages) => {
      const peer = new Peer();
      for (const message of messages) peer.say(message);
      await eventually(() => peer.closed, "it is refused", { everyMs: 1 });
      peer.assertRefused();
      assert.equal(peer.frames.length, 1, "a stranger hears one frame");
      assert.equal(JSON.stringify(peer.frames).includes(TOKEN), false);
    }),
    limits,
  );
  assert.equal(await count(), before);
});

test("a damaged hello with a good token is refused, or is a hello", {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(damaged(fc.constant(hello() as Json)), async (frame) => {
      const peer = new Peer();
      peer.say({ ...frame, worker_id: frame.worker_id && crypto.randomUUID(), token: TOKEN });
      await peer.welcomed();
      if (peer.closed) peer.assertRefused();
      else assert.equal(peer.frames[0]?.type, "welcome");
      peer.hangUp();
    }),
    { numRuns: 250 },
  );
});

/** Reports that name leases of others: right in everything but the token, or the session. */
const foreign = fc
  .record({ at: fc.nat(), keepToken: fc.boolean(), kind: fc.nat(6), data: fc.string() })
  .map(({ at, keepToken, kind, data }) => {
    const victim = held[at % held.length]!;
    const token = keepToken && kind !== 0 ? victim.token : crypto.randomUUID();
    const lease = { job: victim.job, attempt: victim.attempt, token };
    switch (kind) {
      case 0:
        return { type: "finished", jobs: [{ ...lease, outcome: "failed", error: data }] };
      case 1:
        return { type: "started", jobs: [lease] };
      case 2:
        return { type: "rejected", jobs: [{ ...lease, reason: "no" }] };
      case 3:
        return { type: "progress", jobs: [{ ...lease, note: data }] };
      case 4:
        return { type: "cancelling", jobs: [lease] };
      case 5:
        return { type: "log", chunks: [{ ...lease, offset: 0, data: `forged ${data}` }] };
      default:
        return { type: "submit", ...lease, batch: "b", jobs: [{ key: "k", name: "evil" }] };
    }
  });

/** What an authenticated worker does wrong, or right, about the jobs that it was given. */
const own = fc.record({
  kind: fc.constantFrom("start", "end", "replay", "log", "gap", "result", "twice", "reject"),
  value: poison,
});

function sayOwn(peer: Peer, { kind, value }: { kind: string; value: unknown }): void {
  const mine = peer.assigned.at(-1);
  if (mine === undefined) return;
  const lease = leaseOf(mine);
  const end = { ...lease, outcome: "succeeded", run_ms: 1 };
  const frames: Record<string, unknown[]> = {
    start: [{ type: "started", jobs: [lease] }],
    end: [{ type: "finished", jobs: [end] }],
    replay: [
      { type: "finished", jobs: [end, end] },
      { type: "finished", jobs: [end] },
    ],
    twice: [
      { type: "finished", jobs: [end] },
      { type: "finished", jobs: [{ ...end, outcome: "failed" }] },
    ],
    log: [{ type: "log", chunks: [{ ...lease, offset: 0, data: "mine\u0000" }] }],
    gap: [{ type: "log", chunks: [{ ...lease, offset: 999, data: "x" }] }],
    result: [{ type: "finished", jobs: [{ ...end, result: value, error: "\ud800\u0000" }] }],
    reject: [{ type: "rejected", jobs: [{ ...lease, reason: "fuzz" }] }],
  };
  for (const frame of frames[kind]!) peer.say(frame);
}

test("a worker with a token ends only its own connection and its own jobs", {
  timeout: 120_000,
}, async () => {
  const wrong = fc.oneof(
    noise.map((frame) => ({ frame })),
    damaged(reports).map((frame) => ({ frame })),
    fc.constant({ frame: hello() as unknown }),
  );
  const fine = fc.oneof(
    foreign.map((frame) => ({ frame: frame as unknown })),
    reports.map((frame) => ({ frame: frame as unknown })),
    own.map((mine) => ({ mine })),
    own.map((mine) => ({ mine })),
  );
  const script = fc.array(
    fc.oneof({ arbitrary: fine, weight: 6 }, { arbitrary: wrong, weight: 1 }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  await fc.assert(
    fc.asyncProperty(script, fc.boolean(), async (steps, politely) => {
      const peer = new Peer();
      peer.say(hello());
      await peer.welcomed();
      for (const step of steps) {
        if ("mine" in step) sayOwn(peer, step.mine);
        else peer.say(step.frame);
      }
      if (peer.closed) peer.assertRefused();
      else if (politely) peer.say({ type: "draining" });
      peer.hangUp();
      assert.equal(honest.closed, null, JSON.stringify(honest.frames.at(-1)));
    }),
    { numRuns: 300 },
  );
});

test("frames that overtake welcome are kept or refused, never lost in between", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(reports, damaged(reports)), { maxLength: 5 }),
      async (frames) => {
        const peer = new Peer();
        peer.say(hello());
        for (const frame of frames) peer.say(frame);
        await peer.welcomed();
        if (peer.closed) peer.assertRefused();
        else assert.equal(peer.frames[0]?.type, "welcome");
        peer.hangUp();
      },
    ),
    { numRuns: 60 },
  );
});

test("the honest worker still has its connection and its jobs, and ends them all", async () => {
  assert.equal(honest.closed, null);
  const kinds = new Set(honest.frames.map((frame) => frame.type));
  assert.deepEqual([...kinds].sort(), ["assign", "welcome"]);
  for (const { job } of held) assert.equal(await logs.size(job, 1), 0, "a forged log");
  honest.say({
    type: "finished",
    jobs: held.map((lease) => ({ ...leaseOf(lease), outcome: "succeeded", run_ms: 1 })),
  });
  for (const { job } of held) {
    const end = await rig.end(job);
    assert.equal(end.state, "succeeded");
    assert.equal(end.attempt, 1);
  }
  const ids = await rig.submitMany(Array.from({ length: 20 }, () => ({ name: "work" })));
  const fresh = () => honest.assigned.filter(({ job }) => ids.includes(job));
  await eventually(() => fresh().length === ids.length, "new jobs come");
  honest.say({
    type: "finished",
    jobs: fresh().map((l) => ({ ...leaseOf(l), outcome: "succeeded" })),
  });
  for (const id of ids) assert.equal((await rig.end(id)).state, "succeeded");
  const [evil] = await rig.sql`select count(*)::int as n from job_name where name = 'evil'`;
  assert.equal(evil?.n, 0);
});

test("the server met no fault, and every job has one home", { timeout: 30_000 }, async () => {
  const faults = rig.logs.filter((line) => line.level === "error");
  assert.deepEqual(faults, []);
  await eventually(
    async () => {
      const [row] =
        await rig.sql`select count(*)::int as n from live_job where session_id is not null`;
      return row!.n === 0;
    },
    "leases of the gone come back",
    { deadlineMs: 20_000 },
  );
});
