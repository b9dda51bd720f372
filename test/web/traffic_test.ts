import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Traffic } from "../../src/web/traffic.ts";

const request = (seconds: number, status = 200, route = "/a") => ({
  ...{ method: "GET", route, status, seconds },
});

describe("the traffic of a server", () => {
  test("tells of each route how often, how fast, and what went wrong", () => {
    const traffic = new Traffic(7);
    for (let ms = 1; ms <= 100; ms += 1) traffic.answered(request(ms / 1_000, ms > 98 ? 500 : 200));
    traffic.answered(request(0.004, 404, "/b"));
    const [a, b] = traffic.figures();
    assert.deepEqual([a!.requests, a!.failed, a!.refused, traffic.since], [100, 2, 0, 7]);
    assert.ok(Math.abs(a!.meanMs - 50.5) < 1e-9);
    assert.ok(Math.abs(a!.p95Ms - 95) <= 0.96, String(a!.p95Ms));
    assert.deepEqual([b!.route, b!.refused, b!.p95Ms], ["/b", 1, 4]);
  });

  test("tells who listens of every request", () => {
    const traffic = new Traffic(0);
    const heard: string[] = [];
    traffic.listen(({ route }) => heard.push(route));
    traffic.answered(request(1));
    assert.deepEqual(heard, ["/a"]);
  });
});
