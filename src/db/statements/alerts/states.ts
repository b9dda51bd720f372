/** What alerts are in, and what became of them. Times travel as epoch milliseconds. */
import type { AlertEvent, AlertState } from "../../../core/alerts/step.ts";
import type { Sql, Transaction } from "../../client.ts";
import { rowSource } from "../../row_source.ts";

const prepared = { prepare: true };
const MS = (column: string, name: string) =>
  `round(extract(epoch from ${column}) * 1000)::float8 as "${name}"`;

export interface AlertRow extends AlertState {
  id: string;
  rule: string;
  org: number;
  nameId: number;
  severity: string;
  value: number | null;
  limit: number | null;
  sentence: string;
}

/** All there are: a bounded number, one a rule and name. */
export async function readAlerts(sql: Sql | Transaction): Promise<AlertRow[]> {
  const rows = await sql.unsafe(
    `select id, rule, org_id as org, name_id as "nameId", severity, state, value, limit_value as "limit",
       sentence, ${MS("since", "since")}, ${MS("seen_at", "seenAt")}, ${MS("known_at", "knownAt")},
       ${MS("fired_at", "firedAt")}, ${MS("clear_since", "clearSince")}
     from alert order by id`,
    [],
    prepared,
  );
  return rows as unknown as AlertRow[];
}

const ROWS = rowSource<AlertRow>("a", [
  ["id", "uuid", (a) => a.id],
  ["rule", "text", (a) => a.rule],
  ["org_id", "int", (a) => a.org],
  ["name_id", "int", (a) => a.nameId],
  ["severity", "text", (a) => a.severity],
  ["state", "text", (a) => a.state],
  ["since", "seconds", (a) => a.since],
  ["seen_at", "seconds", (a) => a.seenAt],
  ["known_at", "seconds", (a) => a.knownAt],
  ["fired_at", "seconds", (a) => a.firedAt],
  ["clear_since", "seconds", (a) => a.clearSince],
  ["value", "float8", (a) => a.value],
  ["limit_value", "float8", (a) => a.limit],
  ["sentence", "text", (a) => a.sentence],
]);

const COLUMNS = `id, rule, org_id, name_id, severity, state, since, seen_at, known_at, fired_at, clear_since,
  value, limit_value, sentence`;

export async function writeAlerts(tx: Transaction, rows: readonly AlertRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.unsafe(
    `insert into alert as t (${COLUMNS})
     select id, rule, org_id, name_id, severity, state, to_timestamp(since), to_timestamp(seen_at),
       to_timestamp(known_at), to_timestamp(fired_at), to_timestamp(clear_since), value, limit_value, sentence
     from ${ROWS.sql} order by id
     on conflict (rule, name_id) do update set id = excluded.id, state = excluded.state,
       since = excluded.since, seen_at = excluded.seen_at, known_at = excluded.known_at,
       fired_at = excluded.fired_at, clear_since = excluded.clear_since, value = excluded.value,
       limit_value = excluded.limit_value, sentence = excluded.sentence, severity = excluded.severity`,
    ROWS.params(rows),
    prepared,
  );
}

export async function removeAlerts(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.unsafe(
    `with told as (delete from alert_told where alert_id = any($1::uuid[]))
     delete from alert where id = any($1::uuid[])`,
    [`{${ids.join()}}`],
    prepared,
  );
}

export interface EventRow {
  alert: AlertRow;
  kind: AlertEvent;
  at: number;
  silence: string | null;
}

const EVENTS = rowSource<EventRow>("e", [
  ["alert_id", "uuid", (e) => e.alert.id],
  ["kind", "text", (e) => e.kind],
  ["at", "seconds", (e) => e.at],
  ["rule", "text", (e) => e.alert.rule],
  ["org_id", "int", (e) => e.alert.org],
  ["name_id", "int", (e) => e.alert.nameId],
  ["severity", "text", (e) => e.alert.severity],
  ["since", "seconds", (e) => e.alert.since],
  ["value", "float8", (e) => e.alert.value],
  ["limit_value", "float8", (e) => e.alert.limit],
  ["sentence", "text", (e) => e.alert.sentence],
  ["silence_id", "uuid", (e) => e.silence],
]);

export async function writeAlertEvents(tx: Transaction, rows: readonly EventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.unsafe(
    `insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, value, limit_value,
       sentence, silence_id)
     select alert_id, kind, to_timestamp(at), rule, org_id, name_id, severity, to_timestamp(since), value,
       limit_value, sentence, silence_id
     from ${EVENTS.sql} on conflict (alert_id, kind) do nothing`,
    EVENTS.params(rows),
    prepared,
  );
}

export interface FiringRow {
  org: number;
  orgName: string;
  rule: string;
  severity: string;
  jobName: string;
  firedAt: number;
}

const FIRING_MAX = 1_000;

/** What fires, the critical first. */
export async function readFiring(sql: Sql): Promise<FiringRow[]> {
  const rows = await sql.unsafe(
    `select a.org_id as org, coalesce(o.name, 'system') as "orgName", a.rule, a.severity, n.name as "jobName",
       ${MS("a.fired_at", "firedAt")}
     from alert a join job_name n on n.id = any(array[a.name_id]) left join org o on o.id = any(array[a.org_id])
     where a.state = 'firing' order by a.severity, a.fired_at limit ${FIRING_MAX}`,
    [],
    prepared,
  );
  return rows as unknown as FiringRow[];
}
