/**
 * What the board costs over a month of a million jobs of three organizations, with 20,000 waiting: the time
 * of every page over its ranges, filters and tabs, for a superuser and for a member; how many rows its
 * largest statement looks at; what it weighs, and when it is painted. With `--floor` it exits with 1 where a
 * page's p95 is above 50 ms, a statement looks at more than 5,000 rows, a page weighs more than 250 KB at
 * first or 30 KB after, or its largest part is painted later than a second after the request.
 *
 * Writing the month and computing its rollups takes some minutes; `--data FOLDER` keeps it for another run.
 * `--page NAME` measures one page; with it, `--profile FOLDER` says where its time goes.
 */

import { resolve } from "node:path";
import process from "node:process";
import { Client } from "../src/sdk/client.ts";
import { type Address, addressesOf } from "./board/addresses.ts";
import { addPending, computed, writeMonth } from "./board/month.ts";
import { addOperated } from "./board/operated.ts";
import { EXPLAINING, type RowsRead, rowsRead } from "./board/rows_read.ts";
import { type PageTime, timePages } from "./board/server_time.ts";
import { type PageWeight, weighPages } from "./board/weights.ts";
import { startCluster } from "./support/cluster.ts";
import { rate, table } from "./support/figures.ts";
import { flag, number, word } from "./support/options.ts";
import { type Signalbox, startSignalbox } from "./support/signalbox.ts";

const JOBS = number("jobs", 1_000_000);
const PENDING = number("pending", 20_000);
const ROUNDS = number("rounds", 5);
const ORG = "tidewater";
const DATABASE = "board";
const LIMITS = { p95: 50, rows: 5_000, first: 250, after: 30, lcp: 1_000 };

const folder = word("data");
const cluster = await startCluster({
  ...(folder === undefined ? {} : { keepIn: resolve(folder) }),
  settings: EXPLAINING,
});
const failures: string[] = [];

try {
  await writeMonth(await cluster.createDatabase(DATABASE), JOBS);
  // A server of its own for each: what one has read it remembers, and looks at fewer rows.
  const rows = await served(async (box) => {
    await prepare(box);
    return await readRows(box);
  });
  await served((box) => measure(box, rows));
} finally {
  await cluster.stop();
}
for (const failure of failures) console.log(`not kept: ${failure}`);
if (failures.length === 0) console.log("kept");
process.exit(flag("floor") && failures.length > 0 ? 1 : 0);

async function served<T>(work: (box: Signalbox) => Promise<T>): Promise<T> {
  const box = await startSignalbox(cluster, DATABASE);
  try {
    return await work(box);
  } finally {
    await box.stop();
  }
}

async function prepare(box: Signalbox): Promise<void> {
  const sql = cluster.admin(DATABASE);
  await addPending(box, sql, PENDING);
  const ms = await computed(sql);
  await addOperated(box, sql, ORG);
  console.log(`rollups of all of it were computed after ${(ms / 1_000).toFixed(0)} s`);
  await sql`vacuum analyze`;
}

type Who = "superuser" | "member";

async function callersOf(box: Signalbox) {
  const sql = cluster.admin(DATABASE);
  const page = word("page");
  const all = (await addressesOf(sql, ORG)).filter(
    (one) => page === undefined || one.page === page,
  );
  const open = all.filter(({ isReserved }) => isReserved !== true);
  const member = await memberToken(box);
  return [
    { who: "superuser" as Who, token: box.adminToken, addresses: all },
    { who: "member" as Who, token: member, addresses: open },
  ];
}

async function readRows(box: Signalbox): Promise<Map<Who, RowsRead[]>> {
  const sql = cluster.admin(DATABASE);
  const found = new Map<Who, RowsRead[]>();
  for (const { who, token, addresses } of await callersOf(box)) {
    found.set(who, await rowsRead({ sql, url: box.url, token }, addresses));
  }
  return found;
}

async function measure(box: Signalbox, rows: ReadonlyMap<Who, RowsRead[]>): Promise<void> {
  const callers = await callersOf(box);
  for (const { who, token, addresses } of callers) {
    const times = await timePages(box.url, token, addresses, ROUNDS);
    report(who, addresses, times, rows.get(who)!);
  }
  reportWeights(await weighPages(box.url, box.adminToken, callers[0]!.addresses));
}

async function memberToken(box: Signalbox): Promise<string> {
  const client = new Client({ url: box.url, token: box.adminToken, org: ORG });
  const { secret } = await client.tokens.create({ name: `bench ${Date.now()}`, role: "member" });
  return secret!;
}

function report(
  who: string,
  addresses: readonly Address[],
  times: readonly PageTime[],
  rows: readonly RowsRead[],
): void {
  console.log(`\n${who}, ${addresses.length} addresses, ${ROUNDS} rounds`);
  const lines = times.map(({ page, p95, firstP95, slowest }) => {
    const read = rows.find((one) => one.page === page);
    check(`${page} for a ${who}: p95`, p95, LIMITS.p95, "ms");
    check(`${page} for a ${who}: rows of a statement`, read?.rows ?? 0, LIMITS.rows, "");
    const most = rate(read?.rows ?? 0);
    return [page, p95.toFixed(1), firstP95.toFixed(1), slowest.ms.toFixed(1), most, slowest.path];
  });
  console.log(
    table(["page", "p95 ms", "first p95", "slowest ms", "rows", "slowest address"], lines),
  );
  for (const { page, path, rows: many, statement } of rows) {
    if (many > LIMITS.rows) console.log(`${page} ${path}: ${rate(many)} rows by ${statement}`);
  }
}

function reportWeights(weights: readonly PageWeight[]): void {
  const lines = weights.map(({ page, first, after, lcp }) => {
    check(`${page}: first visit`, first, LIMITS.first, "KB");
    check(`${page}: later visit`, after, LIMITS.after, "KB");
    check(`${page}: largest contentful paint`, lcp, LIMITS.lcp, "ms");
    return [page, first.toFixed(0), after.toFixed(1), lcp.toFixed(0)];
  });
  console.log(`\n${table(["page", "first KB", "after KB", "LCP ms"], lines)}`);
}

function check(what: string, value: number, limit: number, unit: string): void {
  if (!(value <= limit)) failures.push(`${what} ${rate(value)} ${unit} (at most ${rate(limit)})`);
}
