/** What the pages of an operation say: before it, while it goes on, and after. Pure. */
import type { BulkKind, Preview } from "../../engine/engine.ts";
import { count, plural } from "../../web/format.ts";
import { canUndo, type OperationRow } from "../../web/jobs/operation.ts";
import { jobsHref } from "./view.ts";

const QUEUES_SHOWN_MAX = 20;

export interface PreviewInput {
  kind: BulkKind;
  isTicked: boolean;
  q: string;
  ids: readonly string[];
  chosen: string | null;
  preview: Preview | null;
  orgs: readonly string[];
  at: number;
  notice: string;
}

export function previewModel(input: PreviewInput) {
  const { kind, isTicked, q, ids, chosen, preview, orgs } = input;
  const verb = kind === "cancel" ? "Cancel" : "Retry";
  const what = isTicked ? plural(ids.length, "ticked job") : "all that match";
  return {
    title: `${verb} ${what}`,
    kind,
    verb,
    what: `${kind}-${isTicked ? "ticked" : "all"}`,
    isTicked,
    q,
    ids,
    org: chosen ?? "",
    at: String(Math.floor(input.at)),
    notice: input.notice,
    back: jobsHref(q),
    effect: EFFECTS[kind],
    orgs: orgs.map((name) => ({ name, href: bulkHref(input, name) })),
    preview: preview === null ? null : previewWords(preview, kind),
  };
}

const EFFECTS: Readonly<Record<BulkKind, string>> = {
  cancel:
    "Waiting jobs end at once. Running ones are asked to stop, and end when their worker says so. Jobs that depend on them will not run.",
  retry:
    "They are queued again under the same ids, with their failures forgotten, and with them the jobs that failed only because they did. Of jobs that ended badly only failed ones are taken, unless the search names other states.",
};

function previewWords({ affected, isComplete, queues }: Preview, kind: BulkKind) {
  const more = queues.slice(QUEUES_SHOWN_MAX);
  return {
    affected,
    isComplete,
    jobs: `${isComplete ? "" : "at least "}${plural(affected, "job")}`,
    fit: kind === "cancel" ? "that can be cancelled" : "that can be retried",
    queues: queues
      .slice(0, QUEUES_SHOWN_MAX)
      .map(({ name, affected: n }) => ({ name, n: count(n) })),
    moreQueues: more.length,
  };
}

function bulkHref({ kind, isTicked, q, ids }: PreviewInput, org: string): string {
  const params = new URLSearchParams({ do: `${kind}-${isTicked ? "ticked" : "all"}`, org });
  if (q !== "") params.set("q", q);
  for (const id of isTicked ? ids : []) params.append("id", id);
  return `/board/jobs/bulk?${params}`;
}

export function operationModel(row: OperationRow, now: number, operates: boolean) {
  const startsIn = Math.max(0, Math.ceil((row.starts_at.getTime() - now) / 1_000));
  const isWaiting = row.state === "running" && !row.begun && startsIn > 0;
  const isOpen = row.state === "running";
  const { q = "", workflow = "" } = row.filter as { q?: string; workflow?: string };
  return {
    id: row.id,
    title: titleOf(row),
    state: isWaiting ? "waiting" : row.state,
    label: isWaiting ? "Waits to begin" : LABELS[row.state],
    tone: TONES[row.state],
    isOpen,
    sentence: isWaiting ? waitingWords(row, startsIn) : sentenceOf(row),
    max: Math.max(1, row.affected, row.done),
    done: row.done,
    mayUndo: operates && canUndo(row),
    undo: isWaiting ? "Call it off" : "Stop it here",
    org: row.org ?? "",
    q: q !== "" ? q : workflow === "" ? "" : `workflow:${workflow}`,
    actor: row.actor ?? "",
    reason: row.reason ?? "",
    back: jobsHref(q),
  };
}

function titleOf({ kind, filter }: OperationRow): string {
  if (kind === "retry") return "Retry of jobs";
  if (kind !== "stop_queues") return "Cancel of jobs";
  const { q, queues = [] } = filter as { q?: string; queues?: string[] };
  return q === undefined ? "Stop of queues" : `Stop of queue ${queues[0] ?? ""}`;
}

const LABELS: Readonly<Record<OperationRow["state"], string>> = {
  running: "At work",
  done: "Done",
  failed: "Failed",
  undone: "Called off",
  stopped: "Stopped",
};
const TONES: Readonly<Record<OperationRow["state"], string>> = {
  running: "",
  done: "good",
  failed: "bad",
  undone: "",
  stopped: "warn",
};

/** How many there are in all, as far as they were counted. */
function matched({ affected, filter }: OperationRow): string {
  return `${filter.complete === false ? "at least " : ""}${plural(affected, "job")}`;
}

function waitingWords(row: OperationRow, startsIn: number): string {
  const soon = `Begins in ${startsIn} s, with ${matched(row)}.`;
  if (row.kind === "stop_queues") {
    return `${soon} Until then nothing of them is dispatched, and it can be called off whole.`;
  }
  return `${soon} Until then nothing has happened, and it can be called off whole.`;
}

function sentenceOf(row: OperationRow): string {
  const isRetry = row.kind === "retry";
  const n = plural(row.done, "job");
  const were = row.done === 1 ? "was" : "were";
  const did = isRetry ? `${were} queued again` : `${were} cancelled, or asked to stop`;
  switch (row.state) {
    case "running":
      return `${count(row.done)} of ${matched(row)} so far.`;
    case "done":
      return `${n} ${did}.`;
    case "undone":
      return "Called off before it began: no job was touched.";
    case "stopped":
      return `Stopped on its way. ${n} ${did}, and that stays so; the rest of ${matched(row)} was left alone.`;
    case "failed":
      return `The database refused it for good. ${n} ${did}; the rest was left alone. ${row.error ?? ""}`;
  }
}
