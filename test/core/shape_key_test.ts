import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type NormalRequirements, normalRequirements, shapeKey } from "../../src/core/shape_key.ts";

const shape = { org: 1, queue: 2, kind: "exec" as const, name: null };
const word = fc.constantFrom("nix", "kvm", "big", "a", "B", "ä");
const wanted: fc.Arbitrary<NormalRequirements> = fc.record(
  {
    system: word,
    features: fc.array(word, { maxLength: 4 }),
    pool: word,
    ram_mb: fc.integer({ min: 1, max: 4 }),
    cpus: fc.double({ min: 0.5, max: 4, noNaN: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

describe("the key of a shape", () => {
  test("is the same however the same requirements were written", () => {
    const one = { features: ["kvm", "nix", "kvm"], pool: "a", system: "x", ram_mb: undefined };
    const two = { system: "x", pool: "a", features: ["nix", "kvm"] };
    assert.equal(
      shapeKey({ ...shape, requirements: one }),
      shapeKey({ ...shape, requirements: two }),
    );
    assert.equal(
      shapeKey({ ...shape, requirements: two }),
      '[1,2,"exec",null,{"system":"x","features":["kvm","nix"],"pool":"a"}]',
    );
  });

  test("takes no requirements, empty ones and no features for the same", () => {
    const keys = [undefined, {}, { features: [] }].map((requirements) =>
      shapeKey({ ...shape, requirements }),
    );
    assert.equal(new Set(keys).size, 1);
  });

  test("holds the name of a handler, and of nothing else", () => {
    assert.equal(shapeKey({ ...shape, name: 5 }), shapeKey({ ...shape, name: 6 }));
    const handler = { ...shape, kind: "handler" as const };
    assert.notEqual(shapeKey({ ...handler, name: 5 }), shapeKey({ ...handler, name: 6 }));
  });

  test("differs wherever organization, queue, kind or a requirement does", () => {
    const keys = [
      shape,
      { ...shape, org: 2 },
      { ...shape, queue: 3 },
      { ...shape, kind: "handler" as const },
      { ...shape, requirements: { system: "x" } },
      { ...shape, requirements: { pool: "x" } },
      { ...shape, requirements: { features: ["x"] } },
      { ...shape, requirements: { ram_mb: 1 } },
      { ...shape, requirements: { cpus: 1 } },
    ].map(shapeKey);
    assert.equal(new Set(keys).size, keys.length);
  });

  test("is the same exactly where the normal requirements are", () => {
    fc.assert(
      fc.property(wanted, wanted, (one, two) => {
        const equal =
          JSON.stringify(normalRequirements(one)) === JSON.stringify(normalRequirements(two));
        const keys = [one, two].map((requirements) => shapeKey({ ...shape, requirements }));
        assert.equal(keys[0] === keys[1], equal);
      }),
    );
  });

  test("does not touch what it was given, and normal requirements are normal already", () => {
    fc.assert(
      fc.property(wanted, (requirements) => {
        const before = structuredClone(requirements);
        const normal = normalRequirements(requirements);
        assert.deepEqual(requirements, before);
        assert.deepEqual(normalRequirements(normal), normal);
      }),
    );
  });
});
