/** The board's data of the fleet as JSON: the same figures as the pages', against plain SQL. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { V1 } from "../../support/api_box.ts";
import { type FleetBox, fleetBox } from "../../support/metrics/fleet_box.ts";

let box: FleetBox;
before(async () => {
  box = await fleetBox();
});
after(() => box.close());

const rows = (text: string) => box.database.reads.unsafe(text);
const near = (a: number, b: number) =>
  assert.ok(Math.abs(a - b) <= 1e-6 * Math.abs(b), `${a} ${b}`);

test("workers are listed with how many there are, and their load adds up to them", async () => {
  const { json } = await box.call("GET", `${V1}/board/workers?limit=4`);
  assert.equal(json.items.length, 4);
  const rest = await box.call("GET", `${V1}/board/workers?cursor=${json.next_cursor}`);
  const all = [...json.items, ...rest.json.items];
  assert.deepEqual(json.fleet.workers, { visible: 6, total: 6, hidden: 0 });
  const load = await box.call("GET", `${V1}/board/workers/load`);
  const slots = all.reduce((sum, one) => sum + one.slots, 0);
  const commands = load.json.items.find((one: { key: string }) => one.key === "exec");
  assert.deepEqual([commands.capacity, commands.workers, commands.percent], [slots, 6, 0]);
  assert.equal((await box.call("GET", `${V1}/board/workers?org=nobody`)).status, 404);
});

test("the fleet over time is what the samples say", async () => {
  const { json } = await box.call("GET", `${V1}/board/fleet?${box.query}`);
  assert.equal(json.points.length, 24);
  const looks = 24 * 4;
  const found = await rows(`select count(*)::int as n, sum(slots_used)::int as used,
    count(*) filter (where draining)::int as draining from worker_sample where at < '${box.to.toISOString()}'`);
  const mean = (key: string) =>
    json.points.reduce((sum: number, one: Record<string, number>) => sum + one[key]!, 0) / 24;
  near(mean("connected"), found[0]!.n / looks);
  near(mean("slots_used"), found[0]!.used / looks);
  near(mean("draining"), found[0]!.draining / looks);
  for (const { id, used_share } of json.workers) {
    const [row] = await rows(`select sum(slots_used)::float8 / sum(slots_offered) as share
      from worker_sample s join worker w on w.id = s.worker_id
      where w.uid = '${id}' and at < '${box.to.toISOString()}'`);
    near(used_share, row!.share);
  }
});

test("the network and the cache answer what their pages show", async () => {
  const { json } = await box.call("GET", `${V1}/board/network?${box.query}`);
  for (const { id, network_mbps } of json.workers) {
    const [row] =
      await rows(`select avg(network_mbps::float8) as mean, max(network_mbps)::float8 as peak
      from worker_sample s join worker w on w.id = s.worker_id
      where w.uid = '${id}' and at < '${box.to.toISOString()}'`);
    near(network_mbps.mean, row!.mean);
    assert.equal(network_mbps.peak, row!.peak);
  }
  assert.ok(json.http.routes.some((one: { route: string }) => one.route === "/api/v1/board/fleet"));
  assert.ok(json.egress.every((one: { bytes: number }) => one.bytes === 0));
  const cache = await box.call("GET", `${V1}/board/cache?${box.query}`);
  assert.equal(cache.json.served, false);
  assert.deepEqual(cache.json.totals, { bytes_sent: 0, bytes_added: 0, requests: 0 });
});
