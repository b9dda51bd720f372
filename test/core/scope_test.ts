import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  ABILITIES,
  type Ability,
  countedOrgs,
  may,
  mayGrant,
  narrowed,
  personScope,
  ROLES,
  type Scope,
  seenOrgs,
  sees,
  seesWorker,
  sightKey,
  sightOf,
  strangerScope,
  superuserScope,
} from "../../src/core/scope.ts";

const OURS = 1;
const PUBLIC = 2;
const FOREIGN = 3;
const ALL = [OURS, PUBLIC, FOREIGN];
const abilities = Object.keys(ABILITIES) as Ability[];

describe("a scope", () => {
  test("of a superuser sees and may everything", () => {
    const scope = superuserScope();
    for (const org of ALL) for (const ability of abilities) assert.ok(may(scope, org, ability));
    assert.equal(seenOrgs(scope), "all");
  });

  test("of a member sees own and public organizations, and of others nothing", () => {
    const scope = personScope([[OURS, "member"]], [PUBLIC]);
    assert.deepEqual(
      ALL.map((org) => sightOf(scope, org)),
      ["full", "full", "nothing"],
    );
    assert.deepEqual(seenOrgs(scope), [OURS, PUBLIC]);
    assert.equal(may(scope, PUBLIC, "view"), true);
    assert.equal(may(scope, PUBLIC, "submit"), false);
    assert.equal(may(scope, FOREIGN, "view"), false);
  });

  test("of a stranger counts public organizations and reads none", () => {
    const scope = strangerScope([PUBLIC]);
    assert.equal(sightOf(scope, PUBLIC), "aggregates");
    assert.deepEqual(seenOrgs(scope), []);
    assert.deepEqual(countedOrgs(scope), [PUBLIC]);
    assert.equal(may(scope, PUBLIC, "view"), false);
    assert.equal(seesWorker(scope, null), false);
  });

  test("gives each role what stands at or below it", () => {
    const allowed = ROLES.map((role) =>
      abilities.filter((ability) => may(personScope([[OURS, role]], []), OURS, ability)).join(" "),
    );
    assert.deepEqual(allowed, [
      "view",
      "view submit",
      "view submit operate",
      "view submit operate manage",
      "view submit operate manage own",
    ]);
  });

  test("lets nobody hand out more than they have", () => {
    assert.equal(mayGrant("admin", "owner"), false);
    assert.equal(mayGrant("admin", "admin"), true);
    assert.equal(mayGrant("operator", "viewer"), false);
  });
});

const role = fc.constantFrom(...ROLES);
const scopes: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant(superuserScope()),
  fc
    .tuple(fc.array(fc.tuple(fc.constantFrom(...ALL), role)), fc.subarray(ALL))
    .map(([roles, open]) => personScope(roles, open)),
);
const limits = fc.record({
  org: fc.option(fc.constantFrom(...ALL)),
  role: fc.option(role),
});

describe("a token", () => {
  test("never widens what its owner may", () => {
    fc.assert(
      fc.property(scopes, limits, (scope, limit) => {
        const less = narrowed(scope, limit);
        for (const org of ALL) {
          assert.ok(sees(scope, org) || !sees(less, org));
          for (const ability of abilities) {
            assert.ok(may(scope, org, ability) || !may(less, org, ability));
          }
        }
        assert.ok(scope.isSuperuser || !less.isSuperuser);
      }),
    );
  });

  test("reaches no other organization, and no role above its own", () => {
    fc.assert(
      fc.property(scopes, fc.constantFrom(...ALL), role, (scope, org, most) => {
        const less = narrowed(scope, { org, role: most });
        assert.equal(less.isSuperuser, false);
        for (const other of ALL) if (other !== org) assert.equal(sightOf(less, other), "nothing");
        const above = abilities.filter((a) => ROLES.indexOf(ABILITIES[a]) > ROLES.indexOf(most));
        for (const ability of above) assert.ok(!may(less, org, ability) || ability === "view");
      }),
    );
  });
});

test("scopes of the same key see the same", () => {
  fc.assert(
    fc.property(scopes, scopes, (a, b) => {
      if (sightKey(a) !== sightKey(b)) return;
      for (const org of ALL) assert.equal(sightOf(a, org), sightOf(b, org));
    }),
  );
});
