/** From the first event, or what retention keeps, to the last pass: between these moments rollups tell everything. */
import { BUCKET_MS, GRANULARITIES, type Granularity } from "../../core/metrics/buckets.ts";
import type { Coverage } from "../../core/metrics/series.ts";
import type { Sql } from "../../db/client.ts";
import { minute } from "../format.ts";

const DAY_MS = 86_400_000;

export interface KeptDays {
  /** Of minutes, which go with the raw rows. */
  rawDays: number;
  rollupDays: number;
}

/** `revision`: of what is settled, see `recallCells`. */
export interface StoredCoverage extends Coverage {
  revision: number;
}

interface Row {
  known: number | null;
  until: number;
  now: number;
  revision: number;
  at: number[];
}

export async function readCoverage(
  reads: Sql,
  granularity: Granularity,
  kept: KeptDays,
  span: Span,
): Promise<StoredCoverage> {
  const { from, to } = span;
  const [row] = await reads<Row[]>`
    select extract(epoch from known_from)::float8 * 1000 as known,
      extract(epoch from complete_until)::float8 * 1000 as until, extract(epoch from now())::float8 * 1000 as now,
      revision::float8,
      array(select distinct extract(epoch from date_trunc(${granularity}, bucket_start, 'UTC'))::float8 * 1000
        from rollup_dirty
        where bucket_start >= ${new Date(from)} and bucket_start < ${new Date(to + BUCKET_MS.minute)}) as at
    from rollup_progress where id = 1`;
  if (!row) return { from: null, to: 0, revision: 0 };
  const days = [kept.rawDays, kept.rollupDays][GRANULARITIES.indexOf(granularity)];
  const oldest = days === undefined ? Number.NEGATIVE_INFINITY : row.now - days * DAY_MS;
  const known = row.known === null ? null : Math.max(row.known, oldest);
  // Few, but after a downtime: buckets of this granularity in which some minute waits.
  return { from: known, to: row.until, waiting: new Set(row.at), revision: row.revision };
}

/** What one reading of a page has asked for: its parts ask for the same. */
export type AskedCoverage = Map<string, Promise<StoredCoverage>>;

/** As `readCoverage`, once for all who share `asked`. */
export function coverageFor(
  { reads, kept, asked }: { reads: Sql; kept: KeptDays; asked?: AskedCoverage },
  granularity: Granularity,
  span: Span,
): Promise<StoredCoverage> {
  const key = `${granularity} ${span.from} ${span.to}`;
  const read = asked?.get(key) ?? readCoverage(reads, granularity, kept, span);
  asked?.set(key, read);
  return read;
}

/** Epoch milliseconds: [from, to). */
export interface Span {
  from: number;
  to: number;
}

const WAITING_MAX = 100_000;

/** Minutes that something happened in and that are not in the rollups yet. */
export async function countWaiting(reads: Sql): Promise<number> {
  const [row] = await reads<{ n: number }[]>`
    select count(*)::int as n
    from (select from rollup_dirty where granularity = 'minute' limit ${WAITING_MAX}) d`;
  return row!.n;
}

/** Where a span reaches beyond what is known, in a sentence; nothing where it does not. */
export function coverageNote(
  covered: Coverage,
  { from, to }: { from: number; to: number },
): string[] {
  if (covered.from === null || covered.from >= to) {
    return ["Nothing is known of this time: no figure of it was kept."];
  }
  return covered.from > from ? [`Figures begin at ${minute(covered.from)}.`] : [];
}
