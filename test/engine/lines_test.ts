import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { EngineContext } from "../../src/engine/context.ts";
import { Histories } from "../../src/engine/histories.ts";
import type { FitLine } from "../../src/engine/line_groups.ts";
import { Lines } from "../../src/engine/lines.ts";
import type { Session } from "../../src/engine/session.ts";
import { Rig } from "../support/engine.ts";

/** Twice as many as one sweep reads from their heads: each gets its turn at every second. */
const SHAPES = 700;
const TURNS = 2;

/** A worker that fits everything, as far as lines know one. */
function aSession(): Session {
  const facts = {
    org: null,
    kinds: ["handler"],
    handlers: new Set(["work"]),
    system: null,
    features: new Set(),
    pool: "default",
    ramMb: null,
    cpus: null,
  };
  const load = { draining: false, slots: 9, used: 0, ramReservedMb: 0, cpusReserved: 0 };
  return { id: 1, workerId: 1, open: true, facts, load } as unknown as Session;
}

describe("lines that are told nothing", () => {
  let rig: Rig;
  let lines: Lines;
  beforeEach(async () => {
    rig = await Rig.start();
    const { context } = rig.engine as unknown as { context: EngineContext };
    lines = new Lines(context, new Histories(context));
    lines.join(aSession());
  });
  afterEach(() => rig.stop());

  /** Sweeps, and reads what that made known; the lines as they stand then, by their queues. */
  async function sweep(): Promise<Map<number, FitLine>> {
    await lines.sweep();
    const groups = lines.servable(() => true);
    await lines.refill(groups);
    return new Map(groups.map((group) => [group.queue, group.heads.first(1)[0]!]));
  }
  const idsIn = ({ line }: FitLine) =>
    Array.from({ length: line.size }, (_, at) => line.at(at)!.id);
  const submit = (priority: number, count = SHAPES) =>
    rig.submitMany(Array.from({ length: count }, (_, at) => ({ queue: `q${at}`, priority })));

  test("find in one sweep what stands before their heads, however many they are", async () => {
    await submit(0);
    const before = await sweep();
    assert.equal(before.size, SHAPES);
    const urgent = await submit(100);
    const after = await sweep();
    assert.deepEqual(
      [...after.values()].map((line) => line.line.at(0)!.id).sort(),
      [...urgent].sort(),
    );
    assert.ok([...after.values()].every((line) => line.line.size === 2));
  });

  test("find in as many sweeps as it takes turns what stands in their midst", async () => {
    await submit(100);
    await submit(0);
    await sweep();
    const between = new Set(await submit(50));
    const found: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const now = [...(await sweep()).values()].map(idsIn);
      const inOrder = now.filter((ids) => ids.length === 3 && between.has(ids[1]!));
      found.push(inOrder.length);
    }
    assert.equal(found.at(-1), SHAPES);
    assert.ok(found[0]! > 0 && found[0]! < SHAPES, `${found[0]} lines had their turn at first`);
  });

  test("of few lines all are read from their heads at each sweep", async () => {
    await submit(100, 20);
    await submit(0, 20);
    await sweep();
    const between = new Set(await submit(50, 20));
    const now = [...(await sweep()).values()].map(idsIn);
    assert.ok(now.every((ids) => ids.length === 3 && between.has(ids[1]!)));
  });

  test("forget a line whose jobs are gone, and know it again when some come", async () => {
    const ids = await submit(0, 3);
    assert.equal((await sweep()).size, 3);
    for (const id of ids) await rig.engine.cancelJob(id, "tester");
    assert.equal((await sweep()).size, 0);
    await submit(0, 2);
    assert.equal((await sweep()).size, 2);
  });
});
