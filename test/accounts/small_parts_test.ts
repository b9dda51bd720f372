/** Secrets, memories, watchers and ceilings, each by itself. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Remembered } from "../../src/accounts/remembered.ts";
import { TokenDoor } from "../../src/accounts/token_door.ts";
import {
  hashSecret,
  looksLikeSecret,
  makeSecret,
  sameSecret,
} from "../../src/accounts/token_secrets.ts";
import { Watchers } from "../../src/accounts/watchers.ts";
import { aboveCeiling } from "../../src/accounts/worker_ceiling.ts";
import { eventually } from "../support/eventually.ts";

describe("a secret", () => {
  test("says what it opens, is long, and comes never again", () => {
    const made = new Set(Array.from({ length: 1_000 }, () => makeSecret("api").secret));
    assert.equal(made.size, 1_000);
    const { secret, hash, hint } = makeSecret("worker");
    assert.match(secret, /^sbw_[A-Za-z0-9_-]{43}$/);
    assert.equal(hint, secret.slice(0, 8));
    assert.deepEqual(hash, hashSecret(secret));
    assert.equal(hash.length, 32);
    assert.ok(looksLikeSecret("worker", secret));
    assert.ok(!looksLikeSecret("api", secret));
    assert.ok(!looksLikeSecret("worker", `${secret}A`));
  });

  test("is compared whatever the lengths, without an error", () => {
    assert.ok(sameSecret("a".repeat(40), "a".repeat(40)));
    for (const other of ["", "a", "a".repeat(39), "a".repeat(41), `${"a".repeat(39)}b`, "ä"]) {
      assert.equal(sameSecret(other, "a".repeat(40)), false);
    }
  });
});

describe("what is remembered", () => {
  test("is read once for many who ask at once, and again after it is forgotten", async () => {
    let reads = 0;
    const kept = new Remembered<number>({
      read: async () => ++reads,
      max: 10,
      maxAgeMs: 1_000,
      now: () => 0,
    });
    assert.deepEqual(await Promise.all([kept.get("a"), kept.get("a"), kept.get("a")]), [1, 1, 1]);
    assert.equal(await kept.get("a"), 1);
    kept.forget((value) => value === 7);
    assert.equal(await kept.get("a"), 1);
    kept.forget((value) => value === 1);
    assert.equal(await kept.get("a"), 2);
  });

  test("is read anew where it changed while it was read", async () => {
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let reads = 0;
    const kept = new Remembered<string>({
      read: () => answers[reads++]!.promise,
      max: 10,
      maxAgeMs: 1_000,
      now: () => 0,
    });
    const asked = kept.get("a");
    kept.forget(() => false);
    answers[0]!.resolve("before");
    answers[1]!.resolve("after");
    assert.equal(await asked, "after");
    assert.equal(kept.peek("a"), "after");
  });

  test("is neither kept beyond its age nor without bound", async () => {
    let now = 0;
    const kept = new Remembered<string>({
      read: async (key) => key,
      max: 3,
      maxAgeMs: 100,
      now: () => now,
    });
    for (const key of ["a", "b", "c", "d"]) await kept.get(key);
    assert.equal(kept.peek("a"), undefined);
    assert.equal(kept.peek("d"), "d");
    now = 101;
    assert.equal(kept.peek("d"), undefined);
  });

  test("is not what could not be read", async () => {
    let fails = true;
    const kept = new Remembered<string>({
      read: async () => {
        if (fails) throw new Error("away");
        return "here";
      },
      max: 3,
      maxAgeMs: 100,
      now: () => 0,
    });
    await assert.rejects(kept.get("a"), /away/);
    fails = false;
    assert.equal(await kept.get("a"), "here");
  });
});

describe("a watcher", () => {
  test("is told of expiry once, and waits where it is further off than a timer can count", async () => {
    let ended = 0;
    const watchers = new Watchers(() => 0);
    const end = () => {
      ended += 1;
    };
    watchers.add({ expiresAt: 5, holds: async () => true, end });
    watchers.add({
      expiresAt: 2 ** 33,
      holds: async () => true,
      end: () => assert.fail("years too early"),
    });
    await eventually(() => ended === 1, "it ends");
    assert.equal(watchers.size, 1);
    watchers.stop();
    assert.equal(watchers.size, 0);
  });

  test("is ended once, however many see it at once", async () => {
    let ended = 0;
    const watchers = new Watchers(() => 0);
    const holds = async () => false;
    const end = () => {
      ended += 1;
    };
    watchers.add({ expiresAt: 0, holds, end });
    watchers.lookAtAll();
    watchers.lookAtAll();
    await eventually(() => watchers.size === 0, "it is gone");
    assert.equal(ended, 1);
  });

  test("stays where nobody can say", async () => {
    const watchers = new Watchers(() => 0);
    let looks = 0;
    const holds = async () => {
      looks += 1;
      throw new Error("the database is away");
    };
    watchers.add({ expiresAt: null, holds, end: () => assert.fail("ended") });
    watchers.lookAtAll();
    await eventually(() => looks === 2, "both looks were made");
    assert.equal(watchers.size, 1);
    watchers.stop();
  });
});

test("a door forgets a token that is revoked, and one that expires it closes by itself", async () => {
  let now = 0;
  const rows = new Map<string, { id: string; expires_at: Date | null; revoked_at: Date | null }>();
  const { secret, hash } = makeSecret("api");
  const key = Buffer.from(hash).toString("hex");
  rows.set(key, { id: "1", expires_at: new Date(1_000), revoked_at: null });
  const door = new TokenDoor({
    kind: "api",
    now: () => now,
    read: async (asked) => rows.get(Buffer.from(asked).toString("hex")),
  });
  assert.equal((await door.open(secret, null))?.id, "1");
  now = 1_000;
  assert.equal(await door.open(secret, null), null);
  now = 0;
  rows.set(key, { id: "1", expires_at: null, revoked_at: new Date(0) });
  assert.equal((await door.open(secret, null))?.id, "1");
  door.forget("2");
  assert.equal((await door.open(secret, null))?.id, "1");
  door.forget("1");
  assert.equal(await door.open(secret, null), null);
  assert.equal(await door.stillOpen(secret), null);
});

test("a ceiling that says nothing allows everything, and one that is empty nothing", () => {
  const offered = { pool: "p", concurrency: 9, features: ["f"], kinds: ["exec"] };
  const open = { pool: null, features: null, kinds: null, slots_max: null };
  assert.equal(aboveCeiling(open, offered), null);
  const sentence = aboveCeiling({ ...open, features: [], kinds: [] }, offered);
  assert.match(sentence!, /allows no features, not "f"\. .*allows no kinds of jobs, not "exec"/);
  assert.equal(aboveCeiling({ ...open, features: [] }, { ...offered, features: [] }), null);
});
