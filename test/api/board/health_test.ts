/** System health as JSON against what PostgreSQL and the process say themselves. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { V1 } from "../../support/api_box.ts";
import { type ChartBox, chartBox } from "../../support/metrics/chart_box.ts";

let box: ChartBox;
before(async () => {
  box = await chartBox({ n: 20, seed: 5 }, async (_, sql) => {
    await sql`
      insert into replica (id, address, started_at, seen_at) values
        (gen_random_uuid(), 'http://gone:4600', now() - interval '2 days', now() - interval '1 hour')`;
  });
  await box.sql`
    insert into rollup_dirty (granularity, bucket_start)
    select 'minute', date_trunc('minute', now()) - n * interval '1 minute' from generate_series(1, 7) n`;
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

test("health tells what the database says of itself, and the process of itself", async () => {
  const { status, json } = await box.call("GET", `${V1}/board/health`);
  assert.equal(status, 200);
  const [exact] = await box.sql`
    select current_setting('server_version') as version, current_setting('max_connections')::int as most,
      pg_database_size(current_database())::float8 as size,
      (select count(*)::int from pg_stat_activity where datname = current_database()) as open`;
  const { database, rollups, servers } = json;
  assert.deepEqual([database.version, database.connections_max], [exact!.version, exact!.most]);
  assert.ok(Math.abs(database.size_bytes - exact!.size) < 0.2 * exact!.size);
  const open = database.connections.reduce(
    (sum: number, one: { count: number }) => sum + one.count,
    0,
  );
  assert.ok(Math.abs(open - exact!.open) <= 3, `${open} of ${exact!.open} connections`);
  assert.equal(rollups.waiting_minutes, 7);
  assert.ok(rollups.lag_seconds >= 0 && rollups.lag_seconds < 600);
  assert.deepEqual(
    servers.map((one: { address: string; alive: boolean }) => one.alive),
    [true, false],
  );
  assert.equal(servers[1].address, "http://gone:4600");
  const { rss } = process.memoryUsage();
  assert.ok(Math.abs(json.process.resident_memory_bytes - rss) < rss / 2);
  assert.ok(Math.abs(json.uptime_seconds - process.uptime()) < 60);
});

test("health is for superusers", async () => {
  assert.equal((await box.open(`${V1}/board/health`, box.member)).status, 403);
});
