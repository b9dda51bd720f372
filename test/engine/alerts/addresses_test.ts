import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { urlProblem } from "../../../src/engine/alerts/input.ts";
import { isPublicAddress } from "../../../src/engine/alerts/send/addresses.ts";
import { signedHeaders } from "../../../src/engine/alerts/send/signature.ts";

describe("an address", () => {
  test("of a private, local, or otherwise special network is not public, however it is written", () => {
    const own = [
      ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"],
      ...["192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fd00::1"],
      ...[
        "fe80::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
      ],
      ...["::127.0.0.1", "2001:db8::1", "", "localhost", "127.1"],
    ];
    for (const address of own) assert.ok(!isPublicAddress(address), address);
    for (const address of ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111"]) {
      assert.ok(isPublicAddress(address), address);
    }
  });

  test("of a channel is one of the web, without a password", () => {
    assert.equal(urlProblem("https://hooks.example/x?y=z"), null);
    assert.match(urlProblem("ftp://hooks.example")!, /https:\/\//);
    assert.match(urlProblem("javascript:alert(1)")!, /https:\/\//);
    assert.match(urlProblem("https://user:word@hooks.example")!, /user or a password/);
    assert.match(urlProblem("https://hooks.example/#x")!, /#/);
    assert.match(urlProblem("hooks.example")!, /https:\/\//);
  });
});

test("a signature is that of Standard Webhooks", () => {
  const body = '{"event_type":"ping","data":{"success":true}}';
  const secret = "whsec_plJ3nmyCDGBKInavdOK15jsl";
  const headers = signedHeaders(secret, "msg_loFOjxBNrRLzqYUf", 1_731_705_121, body);
  assert.equal(headers["webhook-signature"], "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
});
