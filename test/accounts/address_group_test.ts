/** Which addresses limits count as one, and that the limits do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressGroup } from "../../src/accounts/address_group.ts";
import { TooManyAttempts } from "../../src/accounts/refused.ts";
import { TokenDoor } from "../../src/accounts/token_door.ts";

describe("the group of an address", () => {
  test("of IPv4 is the address, however it is written", () => {
    for (const address of [
      "192.0.2.7",
      "::ffff:192.0.2.7",
      "::FFFF:192.0.2.7",
      "::ffff:c000:207",
      "::ffff:c000:0207",
      "0:0:0:0:0:ffff:192.0.2.7",
      "0000:0000:0000:0000:0000:ffff:c000:0207",
      "::ffff:192.0.2.7%eth0",
    ]) {
      assert.equal(addressGroup(address), "192.0.2.7", address);
    }
    assert.notEqual(addressGroup("192.0.2.8"), addressGroup("192.0.2.7"));
    assert.equal(addressGroup("::ffff:255.0.1.255"), "255.0.1.255");
  });

  test("of IPv6 is its /64, however it is written", () => {
    for (const address of [
      "2001:db8:0:7::1",
      "2001:db8:0:7::",
      "2001:0DB8:0000:0007:0000:0000:0000:0001",
      "2001:db8:0:7:ffff:ffff:ffff:ffff",
      "2001:db8::7:a:b:c:d",
      "2001:db8:0:7:1:2:192.0.2.7",
      "2001:db8:0:7::1%en0",
      "2001:db8:0:7::1%25en0",
    ]) {
      assert.equal(addressGroup(address), "2001:db8:0:7::/64", address);
    }
    assert.equal(addressGroup("2001:db8:0:8::1"), "2001:db8:0:8::/64");
    assert.equal(addressGroup("2001:db8::7:1"), "2001:db8:0:0::/64");
    assert.equal(addressGroup("1::"), "1:0:0:0::/64");
    assert.equal(addressGroup("::2:3:4:5:6:7:8"), "0:2:3:4::/64");
    assert.equal(addressGroup("1:2:3:4:5:6:7::"), "1:2:3:4::/64");
  });

  test("of a neighbour on the link is the link, and of this machine itself", () => {
    assert.equal(addressGroup("fe80::1%eth0"), "fe80:0:0:0::/64");
    assert.equal(addressGroup("fe80::1%eth1"), addressGroup("fe80::2"));
    assert.equal(addressGroup("::1"), "0:0:0:0::/64");
    assert.equal(addressGroup("::"), "0:0:0:0::/64");
  });

  test("of what is no address is one for all, however long", () => {
    for (const address of [
      ...[undefined, null, "", " ", "%", "%eth0", "localhost", "unknown", "1.2.3", "1.2.3.4.5"],
      ...[
        "01.2.3.4",
        "256.1.1.1",
        "1.2.3.4:80",
        "1.2.3.4%eth0",
        "[::1]",
        "::1]/x",
        "1::2::3",
        ":::",
      ],
      ...["::ffff:1.2.3", "::ffff:1.2.3.400", "2001:db8::/64", "2001:db8:0:7", "g::1", "12345::1"],
      ...["1:2:3:4:5:6:7:8:9", "::1\n", "::1 ", "2001:db8::1, 192.0.2.7", "x".repeat(100_000)],
    ]) {
      assert.equal(addressGroup(address), "unknown", String(address).slice(0, 50));
    }
  });

  test("stays short, whatever the zone", () => {
    assert.equal(addressGroup(`fe80::1%${"x".repeat(100_000)}`), "fe80:0:0:0::/64");
  });
});

test("wrong tokens from all over one network are wrong tokens of one peer", async () => {
  const door = new TokenDoor({ kind: "api", now: () => 0, read: async () => undefined });
  for (let i = 0; i < 30; i++) await door.open(`wrong ${i}`, `2001:db8:0:7:${i}:${i}::1`);
  await assert.rejects(door.open("wrong", "2001:db8:0:7::1"), TooManyAttempts);
  assert.equal(await door.open("wrong", "2001:db8:0:8::1"), null);
  for (let i = 0; i < 30; i++) await door.open(`also wrong ${i}`, "192.0.2.7");
  await assert.rejects(door.open("other", "::ffff:192.0.2.7"), TooManyAttempts);
});
