import assert from "node:assert/strict";
import {
  type AddressInfo,
  createServer,
  connect as dial,
  type Server,
  type Socket,
} from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { Announcements, announce, type Change } from "../../src/accounts/announce.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

let box: TestDatabase;
let database: Database;
let wire: Wire;
let announcements: Announcements;
let heard: (Change | "everything")[] = [];

/** Between the listener and PostgreSQL: may go silent, as a network does that drops packets, or break. */
class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  state: "whole" | "silent" | "broken" = "whole";

  private constructor(target: URL) {
    this.#server = createServer((from) => {
      if (this.state === "broken") return from.destroy();
      const to = dial(Number(target.port), target.hostname);
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#sockets.add(one);
        // What is under way on a wire that goes silent never arrives; the connection is none the wiser.
        one.on("data", (data) => this.state === "whole" && other.write(data));
        one.on("error", () => one.destroy());
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
      return undefined;
    });
  }

  static async to(url: string): Promise<Wire> {
    const wire = new Wire(new URL(url));
    await new Promise<void>((done) => wire.#server.listen(0, "127.0.0.1", done));
    return wire;
  }

  around(url: string): string {
    const own = new URL(url);
    own.hostname = "127.0.0.1";
    own.port = String((this.#server.address() as AddressInfo).port);
    return own.href;
  }

  break(): void {
    this.state = "broken";
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.break();
    this.#server.close();
  }
}

before(async () => {
  box = await testDatabase();
  database = await connect(box.url);
});
after(async () => {
  await database.close();
  await box.drop();
});

async function listen(): Promise<void> {
  heard = [];
  wire = await Wire.to(box.url);
  announcements = new Announcements({ url: wire.around(box.url), onTrouble: () => {} });
  announcements.on((change) => heard.push(change));
  await announcements.start();
  assert.equal(announcements.isLive, true);
  heard = [];
}
afterEach(async () => {
  await announcements.stop();
  wire.close();
});

const named = (token: string) =>
  heard.filter((change) => change !== "everything" && "token" in change && change.token === token);

async function isHeard(): Promise<void> {
  const token = crypto.randomUUID();
  await announce(database.intake, { token });
  await eventually(() => named(token).length === 1, "it is heard", { deadlineMs: 5_000 });
}

describe("a change is told", () => {
  test("when its transaction commits, not before, and never where it does not", async () => {
    await listen();
    const gone = crypto.randomUUID();
    const rolledBack = database.intake.begin(async (tx) => {
      await announce(tx, { token: gone });
      throw new Error("changed my mind");
    });
    await assert.rejects(rolledBack, /changed my mind/);
    const kept = crypto.randomUUID();
    const gate = Promise.withResolvers<void>();
    const under = database.intake.begin(async (tx) => {
      await announce(tx, { token: kept });
      await gate.promise;
    });
    await isHeard();
    assert.deepEqual(named(kept), []);
    gate.resolve();
    await under;
    await eventually(() => named(kept).length === 1, "it is heard after the commit");
    assert.deepEqual(named(gone), []);
  });

  test("to every listener, also where one fails", async () => {
    await listen();
    const person = crypto.randomUUID();
    const others: (Change | "everything")[] = [];
    announcements.on(() => {
      throw new Error("broken listener");
    });
    const off = announcements.on((change) => others.push(change));
    announcements.tell({ person });
    assert.deepEqual(others, [{ person }]);
    off();
    announcements.tell("everything");
    assert.equal(others.length, 1);
  });
});

describe("a connection that hears nothing", () => {
  test("is noticed within a second where it is broken, and everything is told until it is back", async () => {
    await listen();
    wire.break();
    await eventually(() => heard.includes("everything"), "told", { deadlineMs: 1_000, everyMs: 5 });
    assert.equal(announcements.isLive, false);
    heard = [];
    await eventually(() => heard.length > 1, "told again and again", { deadlineMs: 2_000 });
    wire.state = "whole";
    await eventually(() => announcements.isLive, "it is back");
    await isHeard();
  });

  test("is noticed within little more than a second where it is silent, and given up for another", async () => {
    await listen();
    wire.state = "silent";
    const from = performance.now();
    await eventually(() => heard.includes("everything"), "told", { everyMs: 5 });
    const took = performance.now() - from;
    assert.ok(took < 1_500, `it took ${took} ms`);
    wire.state = "whole";
    // The silent connection lost bytes and answers no more: only a new one can.
    await eventually(() => announcements.isLive, "it is back", { deadlineMs: 10_000 });
    await isHeard();
  });
});
