/** Rows of a search and what stands around them, ready to print. Pure. */
import { timeOfId } from "../../core/ids.ts";
import { isFinal } from "../../core/job_state.ts";
import { printSearch, printTerm } from "../../core/search/print.ts";
import type { Term } from "../../core/search/term.ts";
import { clipText } from "../../core/storable.ts";
import { count, duration, iso, plural, shortId, utc } from "../../web/format.ts";
import type { JobRow } from "../../web/jobs/rows.ts";
import { stateLabel, waitingLabel } from "../../web/words.ts";
import { encodeCursor } from "./cursor.ts";
import { type FoundPage, PAGE_ROWS } from "./queries.ts";

const HOME = "/board/jobs";
const EXCERPT_MAX = 160;
const TAGS_MAX = 4;
const TAG_MAX = 80;

export function jobsHref(q: string, cursor = ""): string {
  const params = new URLSearchParams();
  if (q !== "") params.set("q", q);
  if (cursor !== "") params.set("cursor", cursor);
  const query = params.toString();
  return query === "" ? HOME : `${HOME}?${query}`;
}

/** Each with the search without it. */
export function chipModels(terms: readonly Term[]) {
  return terms.map((term, at) => ({
    text: clip(printTerm(term), 80),
    negated: term.negated,
    without: jobsHref(printSearch(terms.filter((_, place) => place !== at))),
  }));
}

export function rowModel(row: JobRow, now: number, operates: boolean) {
  const created = row.created_at.getTime();
  const tags = Object.entries(row.tags ?? {});
  return {
    id: row.id,
    shortId: shortId(row.id),
    name: row.name,
    org: row.org,
    queue: row.queue,
    worker: row.worker?.name ?? "",
    state: row.state,
    label: stateLabel(row.state),
    note: noteOf(row),
    created: { at: created, iso: iso(created), utc: utc(created), text: seconds(created).slice(5) },
    waited: waitedSpan(row, now),
    ran: ranSpan(row, now),
    attempts: attemptsText(row),
    tags: tags.slice(0, TAGS_MAX).map(([key, value]) => clip(`${key}=${value}`, TAG_MAX)),
    moreTags: Math.max(0, tags.length - TAGS_MAX),
    allTags: tags.map(([key, value]) => `${key}=${value}`).join("\n"),
    error: excerpt(row.error ?? (row.state === "succeeded" ? "" : (row.reason ?? ""))),
    operates,
  };
}

interface Span {
  text: string;
  /** Ms since the epoch, where it still grows. */
  since: number | null;
}

function waitedSpan(row: JobRow, now: number): Span {
  const queued = (row.queued_at ?? row.created_at).getTime();
  const until = row.dispatched_at ?? row.finished_at;
  if (until !== null) return { text: duration(until.getTime() - queued), since: null };
  return { text: duration(now - queued), since: queued };
}

function ranSpan(row: JobRow, now: number): Span {
  if (row.state === "running" && row.started_at !== null) {
    const started = row.started_at.getTime();
    return { text: duration(now - started), since: started };
  }
  if (!isFinal(row.state) || row.started_at === null) return { text: "", since: null };
  const ended = row.finished_at?.getTime() ?? now;
  return { text: duration(row.run_ms ?? ended - row.started_at.getTime()), since: null };
}

function attemptsText({ attempt, max_attempts: max }: JobRow): string {
  return max > 1 ? `${attempt} of ${max}` : String(attempt);
}

function noteOf(row: JobRow): string {
  if (isFinal(row.state)) return "";
  if (row.cancel_requested_at !== null) return "cancel asked";
  return row.state === "queued" && row.waiting_for ? waitingLabel(row.waiting_for) : "";
}

/** One line of it, as the beginning says most. */
function excerpt(text: string): string {
  return clip(text.replaceAll(/\s+/g, " ").trim(), EXCERPT_MAX);
}

function clip(text: string, max: number): string {
  return text.length > max ? `${clipText(text, max)}…` : text;
}

export interface Moment {
  iso: string;
  text: string;
}

/** What a page covers, and where it goes on. */
export function spanModel(page: FoundPage, q: string, now: number) {
  const { walked, cursor, rows } = page;
  const edge = walked.isEnd ? null : walked.reached;
  const [oldest, newest] = cursor.direction === "older" ? [edge, cursor.from] : [cursor.from, edge];
  const isShort = rows.length < PAGE_ROWS && !walked.isEnd;
  const link = (direction: "older" | "newer", from: string | null) =>
    from === null ? "" : jobsHref(q, encodeCursor({ direction, from }));
  return {
    isNothing: walked.isSlow && walked.scanned === 0,
    isSlow: walked.isSlow,
    from: oldest === null ? null : moment(timeOfId(oldest)),
    to: (newest === null ? null : moment(timeOfId(newest))) ?? moment(now)!,
    found: plural(rows.length, "job"),
    looked: count(walked.scanned),
    isShort,
    older: link("older", page.older),
    newer: link("newer", page.newer),
    newest: cursor.from === null ? "" : jobsHref(q),
  };
}

function moment(at: number | null): Moment | null {
  return at === null ? null : { iso: iso(at), text: `${seconds(at)} UTC` };
}

function seconds(at: number): string {
  return utc(at).replace(/\.\d{3} UTC$/, "");
}
