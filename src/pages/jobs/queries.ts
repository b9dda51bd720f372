/** What the page of jobs reads: a page of a search, in either direction. */
import { besideId } from "../../core/ids.ts";
import { type OrgFilter, type Scope, seenOrgs } from "../../core/scope.ts";
import { askedOrgIds } from "../../core/search/criteria.ts";
import type { Term } from "../../core/search/term.ts";
import type { Walked } from "../../db/job_search/walk.ts";
import type { JobRow } from "../../web/jobs/rows.ts";
import { searchJobs } from "../../web/jobs/search.ts";
import type { BoardDeps } from "../../web/shell.ts";
import { type Cursor, NEWEST } from "./cursor.ts";

export const PAGE_ROWS = 50;
/** Rows that one request looks at: three steps of a walk, for five took twice the time that a page has. */
export const SCANNED_MAX = 2_400;
const BUDGET_MS = 800;

export interface FoundPage {
  /** Newest first. */
  rows: JobRow[];
  walked: Walked;
  cursor: Cursor;
  /** Where the pages before and after begin; null where there is none. */
  older: string | null;
  newer: string | null;
}

export function orgsAsked({ directory }: BoardDeps, scope: Scope, terms: readonly Term[]) {
  return askedOrgIds(terms, seenOrgs(scope), directory.all);
}

export interface PageQuestion {
  terms: readonly Term[];
  orgs: OrgFilter;
  isWhole: boolean;
}

/** Newer than the newest of a page there may be few: then it is the first page, and a full one. */
export async function readPage(
  deps: BoardDeps,
  question: PageQuestion,
  cursor: Cursor,
): Promise<FoundPage> {
  const found = await read(deps, question, cursor);
  const isTop = cursor.direction === "newer" && found.walked.isEnd;
  return isTop ? read(deps, question, NEWEST) : found;
}

async function read(deps: BoardDeps, question: PageQuestion, cursor: Cursor): Promise<FoundPage> {
  const { engine, database } = deps;
  const { rows, walked } = await searchJobs(
    { database, names: engine.names, now: () => engine.now() },
    { ...question, ...cursor, limit: PAGE_ROWS, scanMax: SCANNED_MAX, budgetMs: BUDGET_MS },
  );
  const beyond = walked.isEnd ? null : walked.reached;
  const { direction, from } = cursor;
  if (direction === "older") {
    // The id that the page begins after belongs to the page before.
    const newer = from === null ? null : besideId(from, -1);
    return { rows, walked, cursor, older: beyond ?? (walked.isEnd ? null : from), newer };
  }
  const older = from === null ? null : besideId(from, 1);
  return { rows: rows.reverse(), walked, cursor, older, newer: beyond ?? from };
}
