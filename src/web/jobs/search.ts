/** A page of a search through jobs, with what it covers: for the API's list and for the board alike. */

import type { OrgFilter } from "../../core/scope.ts";
import { type Criteria, criteriaOf } from "../../core/search/criteria.ts";
import type { Term } from "../../core/search/term.ts";
import type { Database } from "../../db/client.ts";
import type { Direction } from "../../db/job_search/step.ts";
import { type WalkBounds, type Walked, walk } from "../../db/job_search/walk.ts";
import type { Interner } from "../../engine/interner.ts";
import { type JobRow, readJobs } from "./rows.ts";

export interface SearchDeps {
  database: Pick<Database, "reads">;
  names: Interner;
  /** Database time, milliseconds since the epoch. */
  now(): number;
}

export interface Search extends Pick<WalkBounds, "limit" | "scanMax" | "budgetMs"> {
  terms: readonly Term[];
  /** Whose jobs there are to find. */
  orgs: OrgFilter;
  /** Whoever searches sees everything there is. */
  isWhole: boolean;
  direction: Direction;
  /** Where to go on; the id itself is not looked at. */
  from: string | null;
  statementMs?: number;
}

export interface SearchPage {
  /** In the direction of the walk. */
  rows: JobRow[];
  walked: Walked;
}

const STATEMENT_MS = 1_500;

/** Rows of one snapshot. */
export async function searchJobs(deps: SearchDeps, search: Search): Promise<SearchPage> {
  const { database, names, now } = deps;
  const { orgs, isWhole } = search;
  const criteria: Criteria = criteriaOf(search.terms, now());
  const question = { criteria, orgs, isWhole, now: now() };
  const bounds = { ...search, statementMs: search.statementMs ?? STATEMENT_MS };
  const found = await database.reads.begin(
    "isolation level repeatable read read only",
    async (tx) => {
      const walked = await walk(tx, question, bounds);
      const ids = walked.hits.map(({ id }) => id);
      const rows = await readJobs({ sql: tx, names, now, orgs }, ids);
      const byId = new Map(rows.map((row) => [row.id, row]));
      return { rows: ids.flatMap((id) => byId.get(id) ?? []), walked };
    },
  );
  return found as unknown as SearchPage;
}
