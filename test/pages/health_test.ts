/** Every number of the page of system health against what the database says itself; it is for superusers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { count } from "../../src/web/format.ts";
import { ask, OWN } from "../support/accounts/people.ts";
import { TOKEN } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";
import { type BusyBoard, busyBoard } from "../support/metrics/busy_board.ts";
import { millisecondsOf } from "../support/metrics/chart_box.ts";
import { figureIn } from "../support/metrics/read_page.ts";

let box: BusyBoard;
before(async () => {
  box = await busyBoard();
  const sql = box.database.intake;
  await box.engine.rollups.pass();
  await sql`update rollup_progress set complete_until = now() - interval '7 minutes'`;
  await sql`
    insert into rollup_dirty (granularity, bucket_start)
    select 'minute', date_trunc('minute', now()) - n * interval '1 minute' from generate_series(10, 1244) n
    on conflict do nothing`;
  await sql`
    insert into replica (id, address, started_at, seen_at) values
      (gen_random_uuid(), 'http://gone:4600', '2026-01-02T03:04:05Z', now() - interval '1 hour')`;
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const page = async () => (await box.get("/board/health")).text();
const noteIn = (html: string, id: string) =>
  new RegExp(`id="figure-${id}">.*?</b>\\s*<small>(.*?)</small>`, "s").exec(html)![1]!;

/** Rows of the table whose region is called so, as texts. */
function tableIn(html: string, name: string): string[][] {
  const body = new RegExp(`aria-label="${name}, a table">.*?<tbody>(.*?)</tbody>`, "s").exec(
    html,
  )![1]!;
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell]) =>
      cell!
        .replaceAll(/<[^>]*>/g, " ")
        .replaceAll(/\s+/g, " ")
        .trim(),
    ),
  );
}

const UNITS = ["B", "KiB", "MiB", "GiB"];

/** Tables grow while they are looked at. */
function isAbout(shown: string, exact: number): void {
  const [n, unit] = shown.replaceAll(",", "").split(" ") as [string, string];
  const value = Number(n) * 1_024 ** UNITS.indexOf(unit);
  assert.ok(Math.abs(value - exact) <= Math.max(65_536, exact / 10), `${shown}, not ${exact} B`);
}

test("figures are those of the database and of the upkeep", async () => {
  const html = await page();
  const [exact] = await box.database.reads`
    select pg_database_size(current_database())::float8 as size, current_setting('server_version') as version,
      current_setting('max_connections')::int as most,
      (select count(*)::int from rollup_dirty where granularity = 'minute') as waiting,
      (select count(*)::int from pg_stat_activity where datname = current_database()) as open`;
  const { size, version, most, waiting, open } = exact!;
  isAbout(figureIn(html, "database"), size);
  assert.equal(noteIn(html, "database"), `PostgreSQL ${version.split(" ")[0]}`);
  assert.ok(Math.abs(Number(figureIn(html, "connections")) - open) <= 3);
  assert.equal(noteIn(html, "connections"), `of ${most}`);
  assert.ok(waiting > 1_200);
  assert.equal(noteIn(html, "lag"), `${count(waiting)} minutes wait`);
  const lag = millisecondsOf(figureIn(html, "lag"));
  assert.ok(lag >= 420_000 && lag < 600_000, `${lag}`);
  assert.match(html, /class="card figure bad"><dt>Rollups behind/);
});

test("connections and servers are listed as the database has them", async () => {
  const html = await page();
  const rows = await box.database.reads`
    select coalesce(nullif(application_name, ''), 'others') as name, count(*)::int as n
    from pg_stat_activity where datname = current_database() group by 1`;
  const listed = tableIn(html, "Connections to the database");
  for (const { name, n } of rows) {
    const own = listed.filter((row) => row[0] === name);
    const sum = own.reduce((total, row) => total + Number(row[2]), 0);
    assert.ok(Math.abs(sum - n) <= 3, `${name}: ${sum}, not ${n}`);
  }
  const servers = tableIn(html, "Servers");
  const gone = servers.filter(([name]) => name === "http://gone:4600");
  assert.deepEqual(gone, [["http://gone:4600", "gone", "2026-01-02 03:04 UTC"]]);
  assert.deepEqual(
    servers.map((row) => row[1]),
    ["alive", "gone"],
  );
});

test("what history costs is what the tables take, and all of them together", async () => {
  const html = await page();
  const rows = await box.database.reads`
    select regexp_replace(c.relname, '_\\d{6,8}$', '') as name, sum(pg_total_relation_size(c.oid))::float8 as size
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' group by 1 order by 2 desc, 1`;
  const exact = new Map(rows.map((row) => [row.name as string, row.size as number]));
  const listed = tableIn(html, "What history costs");
  const named = listed.filter(([name]) => exact.has(name!));
  assert.equal(named.length, 14);
  for (const [name, shown] of named) {
    isAbout(shown!, exact.get(name!)!);
  }
  const [smaller] = listed.at(-1)!;
  assert.equal(smaller, `${exact.size - 14} smaller tables`);
});

test("draining is told at once to whoever asked for it, with how many jobs still run", async () => {
  assert.doesNotMatch(await page(), /still run/);
  await send("draining", { enabled: "yes", reason: "disks" });
  const html = await page();
  const [exact] = await box.database.reads`
    select count(*)::int as n from live_job where state in ('dispatched', 'running')`;
  assert.ok(html.includes(`No job is given to any worker; ${exact!.n} still run.`));
  assert.equal(html.match(/<li><a href="\/board\/jobs\/[0-9a-f-]{36}">/g)!.length, exact!.n);
  const overview = await (await box.get("/board")).text();
  assert.match(overview, /The server is draining since admin asked for it/);
});

test("a clean-up stands in the list with what it saw, as soon as it was asked for", async () => {
  await send("deep-gc", { reason: "spring" });
  assert.equal(tableIn(await page(), "Deep clean-ups").length, 1);
  await eventually(async () => {
    const [task] = await box.database.reads`select state, progress as passes from admin_task`;
    const [row] = tableIn(await page(), "Deep clean-ups");
    if (task!.state === "running" || row![1] !== "done") return false;
    const passes = task!.passes as { pass: string; scanned: number; removed: number }[];
    const words = passes.map(
      (p) => `${p.pass}: ${count(p.scanned)} seen, ${count(p.removed)} removed`,
    );
    assert.equal(row![2], words.join(" "));
    assert.ok(passes.some(({ scanned }) => scanned > 0));
    return true;
  }, "the clean-up is over");
});

/** A form of the page, by the admin token. */
async function send(path: string, fields: Record<string, string>): Promise<void> {
  const headers = { ...OWN, authorization: `Bearer ${TOKEN}` };
  const { status } = await box.fetch(ask(`/board/health/${path}`, headers, fields));
  assert.equal(status, 303);
}

test("it is for superusers", async () => {
  const { status } = await box.operator.get("/board/health");
  assert.equal(status, 403);
});
