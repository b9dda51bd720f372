/** Rows of the audit log, ready to print. Pure. */
import { clipText } from "../../core/storable.ts";
import { type ChangeWords, changeWords } from "../../web/audit/changes.ts";
import type { AuditPage, AuditRow } from "../../web/audit/rows.ts";
import { count, iso, plural, shortId, utc } from "../../web/format.ts";
import { type AuditForm, exportQuery, fieldValue, formQuery, isFiltered } from "./form.ts";

export interface RowModel {
  id: string;
  iso: string;
  day: string;
  time: string;
  who: string;
  via: string;
  from: string;
  org: string;
  action: string;
  kind: string;
  object: string;
  objectTitle: string;
  href: string;
  reason: string;
  affected: string;
  change: ChangeWords;
}

export function rowModel(row: AuditRow): RowModel {
  const at = row.at.getTime();
  const [day, time] = utc(at).replace(" UTC", "").split(" ") as [string, string];
  return {
    id: String(row.id),
    iso: iso(at),
    day,
    time: time.slice(0, 8),
    who: clip(row.actor),
    via: row.token_id === null ? "" : "token",
    from: clip(row.address ?? ""),
    org: row.org ?? "",
    action: clip(row.action),
    kind: clip(row.object_kind),
    object: clip(objectName(row)),
    objectTitle: `${row.object_kind} ${row.object_id}`,
    href: objectHref(row),
    reason: row.reason ?? "",
    affected: row.affected === null ? "" : count(row.affected),
    // The object is called by its name; an operation's id joins its rows for programs.
    change: changeWords(row.before, row.after, ["name", "operation"]),
  };
}

/** Names are short; what is not came from somebody who wanted to see what happens. */
const NAME_MAX = 100;

function clip(text: string): string {
  return text.length > NAME_MAX ? `${clipText(text, NAME_MAX)}…` : text;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** By name where the row keeps one: an id says nothing to people. */
function objectName(row: AuditRow): string {
  const id = UUID.test(row.object_id) ? shortId(row.object_id) : row.object_id;
  const name = nameIn(row.after) ?? nameIn(row.before);
  return name === undefined || name === id ? id : `${name} ${id}`;
}

function nameIn(value: unknown): string | undefined {
  const name = (value as { name?: unknown } | null)?.name;
  return typeof name === "string" && name !== "" ? name : undefined;
}

/** A job has a page with its own changes; everything else its timeline here. */
function objectHref({ org, object_kind, object_id }: AuditRow): string {
  if (object_kind === "job" && UUID.test(object_id)) return `/board/jobs/${object_id}`;
  const params = new URLSearchParams({ ...(org === null ? {} : { org }), object_kind, object_id });
  return `/board/audit?${params}`;
}

/** What is offered to be typed; any other action can be. */
const ACTIONS = [
  ...["instance.drain", "invitation.create", "invitation.revoke", "job.cancel", "job.retry"],
  ...["jobs.cancel", "jobs.retry", "member.add", "member.change", "member.remove"],
  ...[
    "operation.end",
    "operation.undo",
    "org.change",
    "org.create",
    "person.change",
    "person.create",
  ],
  ...["person.password", "person.remove", "queue.pause", "queue.resume", "session.revoke"],
  ...["token.create", "token.revoke", "worker.drain", "worker_token.create"],
  ...["worker_token.revoke", "workflow.cancel"],
];
const KINDS = [
  ...["instance", "invitation", "job", "member", "operation", "org", "person", "queue", "token"],
  ...["worker", "worker_token", "workflow"],
];

export interface PageInput {
  form: AuditForm;
  problems: string[];
  /** Names to choose from; one alone is no choice. */
  orgs: string[];
  page: AuditPage;
  /** Not the newest rows. */
  isOlder: boolean;
}

export function pageModel({ form, problems, orgs, page, isOlder }: PageInput) {
  const rows = page.rows.map(rowModel);
  const query = formQuery(form);
  const exported = exportQuery(form);
  const older = new URLSearchParams(query);
  if (page.next !== null) older.set("before", String(page.next));
  return {
    form: { ...form, from: fieldValue(form.from), to: fieldValue(form.to) },
    filtered: isFiltered(form),
    problems,
    orgs: orgs.length > 1 ? orgs : [],
    actions: merged(
      ACTIONS,
      page.rows.map((row) => row.action),
    ),
    kinds: merged(
      KINDS,
      page.rows.map((row) => row.object_kind),
    ),
    rows,
    showsOrg: orgs.length !== 1,
    said:
      rows.length === 0 ? "" : `${plural(rows.length, "change")}${isOlder ? ", older ones" : ""}`,
    searchedTo: searchedTo(page),
    older: page.next === null ? "" : `/board/audit?${older}`,
    newest: isOlder ? `/board/audit${query === "" ? "" : `?${query}`}` : "",
    csv: exportHref(exported, "csv"),
    ndjson: exportHref(exported, "ndjson"),
  };
}

/** Only where the page is not full because the look was bounded. */
function searchedTo({ rows, next, searchedTo: at }: AuditPage): string {
  if (next === null || at === null || rows.at(-1)?.id === next) return "";
  return utc(at.getTime()).replace(/:\d\d\.\d{3}/, "");
}

function exportHref(query: string, format: string): string {
  return `/api/v1/audit?${query === "" ? "" : `${query}&`}format=${format}`;
}

function merged(known: readonly string[], seen: readonly string[]): string[] {
  return [...new Set([...known, ...seen])].sort();
}
