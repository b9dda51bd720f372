/**
 * What the statements of a page look at: PostgreSQL explains every one that the server's reading connections
 * send, with `explain (analyze, format json)` of the very run (auto_explain), into its log.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type postgres from "postgres";
import type { Settings } from "../../src/db/embedded/settings.ts";
import type { Address } from "./addresses.ts";

/** Loaded from the start, silent until asked. */
export const EXPLAINING: Settings = {
  session_preload_libraries: "'auto_explain'",
  "auto_explain.log_min_duration": "-1",
  "auto_explain.log_analyze": "on",
  "auto_explain.log_timing": "off",
  "auto_explain.log_format": "json",
  logging_collector: "on",
  log_destination: "'jsonlog'",
  log_directory: "'log'",
  log_filename: "'run.log'",
  log_rotation_age: "0",
  log_rotation_size: "0",
};

export interface RowsRead {
  page: string;
  path: string;
  rows: number;
  statement: string;
}

interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

/** Of each page the statement that looked at most rows, over all of its addresses. */
export async function rowsRead(
  place: { sql: postgres.Sql; url: string; token: string },
  addresses: readonly Address[],
): Promise<RowsRead[]> {
  const { sql, url, token } = place;
  const [where] = await sql`show data_directory`;
  const folder = join(where!.data_directory, "log");
  await explainAll(sql, true);
  const most = new Map<string, RowsRead>();
  for (const { page, path } of addresses) {
    const from = await lengthOf(folder);
    const headers = { accept: "text/html", authorization: `Bearer ${token}` };
    await (await fetch(url + path, { headers })).arrayBuffer();
    for (const { text, plan } of await plansSince(folder, from)) {
      const rows = rowsOf(plan);
      if (rows > (most.get(page)?.rows ?? -1))
        most.set(page, { page, path, rows, statement: text });
    }
  }
  await explainAll(sql, false);
  return [...most.values()];
}

async function explainAll(sql: postgres.Sql, on: boolean): Promise<void> {
  await sql.unsafe(`alter system set auto_explain.log_min_duration = ${on ? 0 : -1}`);
  await sql`select pg_reload_conf()`;
  // Backends take a new setting up between statements, once the postmaster has told them.
  await new Promise((resume) => setTimeout(resume, 1_000));
}

const FILE = "run.json";

async function lengthOf(folder: string): Promise<number> {
  if (!(await readdir(folder)).includes(FILE)) return 0;
  return (await readFile(join(folder, FILE))).length;
}

interface Explained {
  text: string;
  plan: PlanNode;
}

/** The collector writes a line as soon as it has it, a moment after the answer. */
async function plansSince(folder: string, from: number): Promise<Explained[]> {
  await new Promise((resume) => setTimeout(resume, 100));
  const log = (await readFile(join(folder, FILE))).subarray(from).toString();
  return log.split("\n").flatMap((line) => {
    if (!line.includes('"signalbox reads"')) return [];
    const { message } = JSON.parse(line) as { message: string };
    const at = message.indexOf("plan:");
    if (at < 0) return [];
    const told = JSON.parse(message.slice(at + 5)) as { "Query Text": string; Plan: PlanNode };
    return [{ text: told["Query Text"].replaceAll(/\s+/g, " ").trim(), plan: told.Plan }];
  });
}

/** What its scans looked at, those rows too that a filter threw away. */
function rowsOf(node: PlanNode): number {
  const loops = node["Actual Loops"] ?? 0;
  const thrown =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  const own =
    node["Relation Name"] !== undefined && node["Node Type"].includes("Scan")
      ? ((node["Actual Rows"] ?? 0) + thrown) * loops
      : 0;
  return (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), own);
}
