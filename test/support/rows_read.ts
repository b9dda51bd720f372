/** Rows that statements look at, by what PostgreSQL itself counts. */
import type postgres from "postgres";
import type { Sql } from "../../src/db/client.ts";

interface PlanNode {
  "Relation Name"?: string;
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

export interface Asked {
  text: string;
  params: unknown[];
}

/** What was read from this pool meanwhile, by whomever: each statement with what it was given. */
export async function asked(pool: Sql, run: () => Promise<unknown>): Promise<Asked[]> {
  const sent: Asked[] = [];
  const { options } = pool as unknown as { options: { debug: unknown } };
  const before = options.debug;
  options.debug = (_: number, text: string, params: unknown[]) => sent.push({ text, params });
  try {
    await run();
  } finally {
    options.debug = before;
  }
  return sent.filter(({ text }) => /^\s*(with|select)\b/.test(text));
}

/** How many rows all scans of a statement look at together. */
export async function rowsRead(sql: postgres.Sql, { text, params }: Asked): Promise<number> {
  const rows = await sql.unsafe(`explain (analyze, format json) ${text}`, params as never[]);
  return rows[0]!["QUERY PLAN"].reduce((sum: number, { Plan: plan }: { Plan: PlanNode }) => {
    return sum + rowsOf(plan);
  }, 0);
}

function rowsOf(node: PlanNode): number {
  const thrown =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  const own =
    node["Relation Name"] === undefined
      ? 0
      : ((node["Actual Rows"] ?? 0) + thrown) * (node["Actual Loops"] ?? 1);
  return (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), own);
}
