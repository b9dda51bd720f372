/**
 * Reads the audit log, newest first, by keyset. However long the log and however rare what is asked for,
 * one reading looks at a bounded number of rows and says where the next goes on.
 */
import type { Sql } from "../../db/client.ts";
import type { AuditFilter } from "./filter.ts";

export interface AuditRow {
  id: number;
  at: Date;
  /** Null: of the whole instance. */
  org: string | null;
  actor: string;
  person_id: string | null;
  token_id: string | null;
  address: string | null;
  action: string;
  object_kind: string;
  object_id: string;
  reason: string | null;
  affected: number | null;
  before: unknown;
  after: unknown;
}

export interface AuditPage {
  rows: AuditRow[];
  /** Where the next page goes on; null where there is nothing more. With few rows or none: go on. */
  next: number | null;
  /** Everything from here on has been looked at; null where all has been. */
  searchedTo: Date | null;
}

export interface AuditPosition {
  /** Only rows with a smaller id; null begins with the newest. */
  before: number | null;
  limit: number;
}

/** Rows that one reading looks at where no index leads to what is asked for. */
export const SEARCHED_MAX = 5_000;
/** Times and ids grow together but for transactions that overlap, which end within seconds. */
const OVERLAP_MS = 60_000;

type Fragment = ReturnType<Sql>;

export async function readAudit(
  sql: Sql,
  filter: AuditFilter,
  { before, limit }: AuditPosition,
): Promise<AuditPage> {
  const first = filter.from === null ? null : await idAt(sql, filter.from - OVERLAP_MS);
  const last = filter.to === null ? null : await idAt(sql, filter.to + OVERLAP_MS);
  const within = sql`
    ${before === null ? sql`` : sql`and id < ${before}`}
    ${first === null ? sql`` : sql`and id >= ${first}`}
    ${last === null ? sql`` : sql`and id < ${last}`}
    ${isOneObject(filter) ? ofObject(sql, filter) : sql``}` as Fragment;
  const tests = testsOf(sql, filter);
  const looked = tests === null ? limit + 1 : SEARCHED_MAX;
  const found = await sql<(AuditRow & { looked: number; last_id: number; last_at: Date })[]>`
    with span as materialized (${spanOf(sql, filter, within, looked)}),
    found as (
      select * from span a where true ${tests ?? sql``} order by id desc limit ${limit + 1})
    select s.looked, s.last_id, s.last_at, o.name as org, f.id, f.at, f.actor, f.person_id,
      f.token_id, f.address, f.action, f.object_kind, f.object_id, f.reason, f.affected, f.before,
      f.after
    from (select count(*)::int as looked, min(id) as last_id,
      (select at from span order by id limit 1) as last_at from span) s
    left join found f on true left join org o on o.id = f.org_id
    order by f.id desc`;
  const rows = found
    .filter((row) => row.id !== null)
    .map(({ looked: _, last_id: __, last_at: ___, ...row }) => row);
  if (rows.length > limit) {
    const page = rows.slice(0, limit);
    return { rows: page, next: page.at(-1)!.id, searchedTo: page.at(-1)!.at };
  }
  const end = found[0]!;
  if (end.looked < looked) return { rows, next: null, searchedTo: null };
  return { rows, next: end.last_id, searchedTo: end.last_at };
}

/** What people did to one object, without where they did it from: whoever sees the object may read it. */
export async function readObjectAudit(
  sql: Sql,
  object: { kind: string; id: string },
  position: AuditPosition,
): Promise<AuditPage> {
  const { limit } = position;
  const rows = await sql<AuditRow[]>`${objectAudit(sql, object, position)}`;
  const page = rows.slice(0, limit);
  const next = rows.length > limit ? page.at(-1)!.id : null;
  return { rows: page, next, searchedTo: null };
}

/** Its rows, and one more where there are more. */
export function objectAudit(
  sql: Sql,
  object: { kind: string; id: string },
  { before, limit }: AuditPosition,
): Fragment {
  return sql`
    select id, at, null as org, actor, null as person_id, null as token_id, null as address, action,
      object_kind, object_id, reason, affected, before, after
    from audit_log
    where object_kind = ${object.kind} and object_id = ${object.id}
      ${before === null ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit + 1}` as Fragment;
}

/** The newest rows that an index leads to; of several organizations, those of each. */
function spanOf(sql: Sql, { orgs }: AuditFilter, within: Fragment, limit: number): Fragment {
  if (orgs === "all") {
    return sql`select * from audit_log where true ${within} order by id desc limit ${limit}` as Fragment;
  }
  return sql`
    select a.* from unnest(${orgs as number[]}::int[]) as wanted(org)
    cross join lateral (
      select * from audit_log where org_id = wanted.org ${within} order by id desc limit ${limit}) a
    order by a.id desc limit ${limit}` as Fragment;
}

function isOneObject({ objectKind, objectId }: AuditFilter): boolean {
  return objectKind !== "" && objectId !== "";
}

function ofObject(sql: Sql, { objectKind, objectId }: AuditFilter): Fragment {
  return sql`and object_kind = ${objectKind} and object_id = ${objectId}` as Fragment;
}

/** What is left to test row by row; null where the indexes have done it all. */
function testsOf(sql: Sql, filter: AuditFilter): Fragment | null {
  const { actor, action, objectKind, objectId, from, to } = filter;
  const one = isOneObject(filter);
  const tests = [
    actor === ""
      ? null
      : sql`and (strpos(lower(a.actor), lower(${actor})) > 0
          or ${actor} in (a.person_id, a.token_id, a.address))`,
    action === ""
      ? null
      : sql`and (a.action = ${action} or starts_with(a.action, ${`${action}.`}))`,
    one || objectKind === "" ? null : sql`and a.object_kind = ${objectKind}`,
    one || objectId === "" ? null : sql`and a.object_id = ${objectId}`,
    from === null ? null : sql`and a.at >= ${new Date(from)}`,
    to === null ? null : sql`and a.at < ${new Date(to)}`,
  ].filter((test) => test !== null);
  if (tests.length === 0) return null;
  return tests.reduce((all, test) => sql`${all} ${test}`) as unknown as Fragment;
}

/** The first id that is not older than `at`, by halving: times have no index, and need none. */
async function idAt(sql: Sql, at: number): Promise<number> {
  const [row] = await sql`
    with recursive halves(low, high) as (
      select 0::bigint, (select coalesce(max(id), 0) + 1 from audit_log)
      union all
      select case when older then middle + 1 else low end, case when older then high else middle end
      from (
        select low, high, (low + high) / 2 as middle, (
          select a.at < ${new Date(at)} from audit_log a
          where a.id >= (low + high) / 2 order by a.id limit 1) as older
        from halves where low < high) h)
    select max(low) as id from halves`;
  return row!.id as number;
}
