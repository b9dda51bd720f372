/** Plans of statements as the engine prepares them, and what they read when they run. */
import type postgres from "postgres";
import { plainArray } from "../../src/db/arrays.ts";
import type { Sql, Transaction } from "../../src/db/client.ts";

export interface Statement {
  text: string;
  params: unknown[];
}

/** What `use` would send, with the answers that `answer` gives; nothing is run. */
export async function recorded(
  use: (sql: Sql & Transaction) => Promise<unknown>,
  answer: (text: string) => object[] = () => [],
): Promise<Statement[]> {
  const sent: Statement[] = [];
  const fake = {
    unsafe: (text: string, params: unknown[] = []) => {
      sent.push({ text, params });
      return Promise.resolve(Object.assign(answer(text), { count: 0 }));
    },
    begin: (run: (tx: unknown) => Promise<unknown>) => run(fake),
  };
  await use(fake as unknown as Sql & Transaction);
  return sent;
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return "null";
  // As the driver writes it.
  const plain = value instanceof Date ? value.toISOString() : String(value);
  const text = Array.isArray(value) ? plainArray(value) : plain;
  return `'${text.replaceAll("'", "''")}'`;
}

interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Join Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

const LONGEST_MS = 5_000;

export interface Measured {
  ms: number;
  /** Rows that each scan of a table looked at, and that each join threw away. */
  read: { what: string; rows: number }[];
  text: string;
}

/** One session of the engine that keeps its prepared statements. */
export class PlanSession {
  readonly #sql: postgres.ReservedSql;
  readonly #names = new Map<string, string>();

  constructor(sql: postgres.ReservedSql) {
    this.#sql = sql;
  }

  async prepare({ text, params }: Statement): Promise<void> {
    if (this.#names.has(text)) return;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    await this.#sql.unsafe(`prepare ${name} as ${text}`);
    // The first run makes the generic plan: on tables that are empty.
    await this.#sql.unsafe(`explain ${this.#execute({ text, params })}`);
  }

  /** Runs it and takes everything back. What takes too long is told by its plan alone. */
  async measure(statement: Statement): Promise<Measured> {
    try {
      return await this.#analyze(statement);
    } catch (error) {
      if ((error as { code?: string }).code !== "57014") throw error;
      const rows = await this.#sql.unsafe(`explain ${this.#execute(statement)}`);
      const text = rows.map((row) => row["QUERY PLAN"]).join("\n");
      return { ms: LONGEST_MS, read: [{ what: "ran into the timeout", rows: Infinity }], text };
    }
  }

  async #analyze(statement: Statement): Promise<Measured> {
    // A plan does not depend on these; a session that is cut off would forget all of them.
    await this.#sql.unsafe(`set transaction_timeout = 0; set statement_timeout = ${LONGEST_MS}`);
    await this.#sql.unsafe("begin");
    try {
      const rows = await this.#sql.unsafe(
        `explain (analyze, timing off, format json) ${this.#execute(statement)}`,
      );
      const [plan] = rows[0]!["QUERY PLAN"];
      const read: Measured["read"] = [];
      walk(plan.Plan, read);
      const text = JSON.stringify(plan.Plan);
      return { ms: plan["Execution Time"], read, text };
    } finally {
      await this.#sql.unsafe("rollback");
    }
  }

  #execute({ text, params }: Statement): string {
    const list = params.map(literal).join(", ");
    return `execute ${this.#names.get(text)}${params.length > 0 ? `(${list})` : ""}`;
  }
}

function walk(node: PlanNode, read: Measured["read"]): void {
  const loops = node["Actual Loops"] ?? 0;
  const seen = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  if (node["Relation Name"] && /Scan/.test(node["Node Type"])) {
    const index = node["Index Name"] ? ` by ${node["Index Name"]}` : "";
    const what = `${node["Node Type"]} on ${node["Relation Name"]}${index}`;
    read.push({ what, rows: ((node["Actual Rows"] ?? 0) + seen) * loops });
  }
  const thrown = (node["Rows Removed by Join Filter"] ?? 0) * loops;
  if (thrown > 0) read.push({ what: `${node["Node Type"]} threw away`, rows: thrown });
  if (/Sort|Aggregate/.test(node["Node Type"])) {
    read.push({ what: node["Node Type"], rows: (node["Actual Rows"] ?? 0) * loops });
  }
  for (const child of node.Plans ?? []) walk(child, read);
}
