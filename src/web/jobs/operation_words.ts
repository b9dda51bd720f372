/** What is said of an operation while it goes on, and after. Pure. */
import { count, plural } from "../format.ts";
import { canUndo, type OperationRow } from "./operation.ts";

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
    search: q,
  };
}

function titleOf({ kind, filter }: OperationRow): string {
  if (kind === "retry") return "Retry of jobs";
  if (kind !== "stop_queues") return "Cancel of jobs";
  const { all, queues, hit } = filter as { all: boolean; queues: string[]; hit: number };
  if (all) return "Stop of all queues";
  const shown = queues.slice(0, QUEUES_SHOWN);
  const more = hit - shown.length;
  if (more > 0) return `Stop of queues ${shown.join(", ")} and ${count(more)} more`;
  const last = shown.at(-1) ?? "";
  if (shown.length < 2) return `Stop of queue ${last}`;
  return `Stop of queues ${shown.slice(0, -1).join(", ")} and ${last}`;
}

const QUEUES_SHOWN = 3;

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
