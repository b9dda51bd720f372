/** The job page's model: rows → values ready to print. Pure. */
import { canCancel, canRetry, isFinal } from "../../core/job_state.ts";
import type { PhaseTimes } from "../../core/waits.ts";
import type { Explanation } from "../../engine/explain.ts";
import { execPayload } from "../../messages/job_input.ts";
import { bytes, count, duration, mebibytes, plural, shortId } from "../../web/format.ts";
import { headline, outcomeLabel, stateLabel, waitingLabel } from "../../web/words.ts";
import { contextRows, windowRows } from "./context_view.ts";
import type { NeighbourRow } from "./neighbours.ts";
import { type PhaseInput, phaseRows } from "./phases.ts";
import type { AttemptRow, JobPageRows, JobRow } from "./queries.ts";
import { scoreModel, termRows } from "./score_view.ts";

export interface JobPageInput {
  rows: JobPageRows;
  explanation: Explanation | null;
  /** Which attempt is shown; null for the latest, whatever it is. */
  chosen: number | null;
  now: number;
}

export function headModel({ rows, chosen }: JobPageInput) {
  const { job } = rows;
  const can = [canCancel(job.state) ? "cancel" : "", canRetry(job.state) ? "retry" : ""];
  return {
    id: job.id,
    shortId: shortId(job.id),
    name: job.name,
    state: job.state,
    label: stateLabel(job.state),
    waiting: job.state === "queued" && job.waiting_for ? waitingLabel(job.waiting_for) : "",
    can: can.filter((action) => action !== "").join(" "),
    cancel: cancelSentence(job),
    facts: factsOf(rows),
    tags: Object.entries(job.tags ?? {}).map(([key, value]) => ({ key, value })),
    workflows: rows.workflows,
    attempt: chosen,
    latest: job.attempt,
    progress: isFinal(job.state) ? null : job.progress,
    note: isFinal(job.state) ? "" : (job.progress_note ?? ""),
    items: isFinal(job.state) ? "" : itemsText(job),
  };
}

function cancelSentence(job: JobRow): string {
  if (job.cancel_requested_at === null || isFinal(job.state)) return "";
  const by = job.cancel_actor ? ` by ${job.cancel_actor}` : "";
  return job.cancel_acknowledged_at
    ? `Cancel asked${by}; the worker acknowledged it and is stopping the job.`
    : `Cancel asked${by}; waiting for the worker to acknowledge it.`;
}

type ItemCounts = Pick<AttemptRow, "items_success" | "items_failed" | "items_skipped">;

interface Fact {
  label: string;
  value: string;
  at?: number;
}

function factsOf({ job }: JobPageRows): Fact[] {
  const facts: Fact[] = [
    { label: "Queue", value: `${job.org} / ${job.queue}` },
    { label: "Worker", value: job.worker ?? "none yet" },
    { label: "Attempt", value: job.attempt === 0 ? "none yet" : count(job.attempt) },
  ];
  if (job.max_attempts > 1 || job.failures > 0) {
    facts.push({
      label: "Failures",
      value: `${count(job.failures)} of ${count(job.max_attempts)}`,
    });
  }
  if (job.priority !== 0) facts.push({ label: "Priority", value: priorityText(job.priority) });
  const by = job.created_by ? `by ${job.created_by}` : "";
  facts.push({ label: "Created", value: by, at: job.created_at.getTime() });
  if (job.kind === "handler") facts.push({ label: "Kind", value: "handler" });
  const needs = needsText(job);
  if (needs !== "") facts.push({ label: "Needs", value: needs });
  if (job.timeout_seconds !== null) {
    facts.push({ label: "Timeout", value: duration(job.timeout_seconds * 1000) });
  }
  if (job.dedupe_key) facts.push({ label: "Dedupe key", value: job.dedupe_key });
  if (job.exit_code !== null) facts.push({ label: "Exit code", value: String(job.exit_code) });
  return facts;
}

function priorityText(priority: number): string {
  return priority > 0 ? `+${priority}` : `−${-priority}`;
}

function needsText({ requirements: r }: JobRow): string {
  const parts = [
    r.system,
    r.pool === undefined ? undefined : `pool ${r.pool}`,
    ...(r.features ?? []),
    r.ram_mb === undefined ? undefined : `${mebibytes(r.ram_mb)} RAM`,
    r.cpus === undefined ? undefined : plural(r.cpus, "CPU"),
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** It was dispatched, and nothing is left of that. */
function isForgotten({ job, attempts }: JobPageRows): boolean {
  return isFinal(job.state) && job.attempt > 0 && attempts.length === 0;
}

// Phases

export function phasesModel({ rows, chosen, now }: JobPageInput) {
  const { job } = rows;
  const past = chosen === null || isCurrent(job, chosen) ? null : attemptOf(rows, chosen);
  const input: PhaseInput = past ? pastInput(past, now) : presentInput(rows, now);
  return { ...phaseRows(input), attempt: past ? past.attempt : null };
}

function isCurrent(job: JobRow, attempt: number): boolean {
  return attempt === job.attempt && (job.leased || isFinal(job.state));
}

function attemptOf(rows: JobPageRows, attempt: number): AttemptRow | undefined {
  return rows.attempts.find((row) => row.attempt === attempt);
}

function presentInput({ job, attempts }: JobPageRows, now: number): PhaseInput {
  const last = isFinal(job.state) ? attempts.find((row) => row.attempt === job.attempt) : undefined;
  return {
    times: timesOf(job, last?.run_ms ?? null),
    endedAt: job.finished_at?.getTime() ?? null,
    state: job.state,
    waitingFor: job.waiting_for,
    now,
  };
}

function pastInput(row: AttemptRow, now: number): PhaseInput {
  return {
    times: timesOf(row, row.run_ms),
    endedAt: row.ended_at.getTime(),
    state: "succeeded",
    waitingFor: null,
    now,
  };
}

function timesOf(
  row: Pick<JobRow, "queued_at" | "eligible_at" | "ready_at" | "dispatched_at" | "started_at">,
  runMs: number | null,
): PhaseTimes {
  return {
    queuedAt: row.queued_at.getTime(),
    eligibleAt: row.eligible_at?.getTime() ?? null,
    readyAt: row.ready_at?.getTime() ?? null,
    dispatchedAt: row.dispatched_at?.getTime() ?? null,
    startedAt: row.started_at?.getTime() ?? null,
    runMs,
  };
}

// Why

export function whyModel({ rows, explanation, chosen }: JobPageInput) {
  const { job } = rows;
  const waits = chosen === null && (job.state === "queued" || job.state === "ready");
  return {
    waits,
    state: job.state,
    blocks: waits && explanation ? blocksModel(explanation) : null,
    score: explanation?.dispatch ? scoreModel(explanation.dispatch) : null,
  };
}

const WORKERS_SHOWN = 50;

function blocksModel(explanation: Explanation) {
  const { position, workers } = explanation;
  const fitting = workers.filter((worker) => worker.vetoes.length === 0);
  return {
    vetoes: explanation.vetoes.map((veto) => ({ ...veto, label: headline(veto.rule) })),
    position: position
      ? {
          place: count(position.place),
          ready: `${count(position.shape_ready)}${position.capped ? "+" : ""}`,
          ahead: position.ahead,
        }
      : null,
    verdict: verdictOf(explanation, fitting.length),
    workers: workers.slice(0, WORKERS_SHOWN).map((worker) => ({
      name: worker.name,
      fits: worker.vetoes.length === 0,
      vetoes: worker.vetoes,
      score: worker.score === undefined ? "" : worker.score.toFixed(1),
      terms: worker.terms ? termRows(worker.terms).filter((term) => term.sign !== "zero") : [],
    })),
    more: Math.max(0, workers.length - WORKERS_SHOWN),
    hidden: explanation.hidden_workers ? plural(explanation.hidden_workers, "worker") : "",
  };
}

/** One sentence that answers the question before any table does. */
function verdictOf({ workers, position }: Explanation, fitting: number): string {
  if (fitting > 0 && position && position.ahead > 0) {
    const ahead = plural(position.ahead, "job");
    return `${plural(fitting, "worker")} could take it; ${ahead} of its line go first.`;
  }
  if (fitting > 0) return `${plural(fitting, "worker")} can take it: it should start any moment.`;
  if (workers.length === 1) return "The one connected worker cannot take it now.";
  return `None of the ${count(workers.length)} connected workers can take it now.`;
}

export function contextsModel({ explanation }: JobPageInput) {
  const contexts = explanation?.dispatch?.contexts;
  const tables = [
    { title: "Worker", rows: contextRows(contexts?.worker ?? null) },
    { title: "Job", rows: contextRows(contexts?.job ?? null) },
    { title: "Instance", rows: contextRows(contexts?.instance ?? null) },
  ];
  return {
    tables: tables.filter((table) => table.rows.length > 0),
    windows: windowRows(contexts?.instance ?? null),
  };
}

// What came of it

export function outcomeModel({ rows, chosen }: JobPageInput) {
  const { job, attempts } = rows;
  const past = chosen === null ? undefined : attemptOf(rows, chosen);
  const over = isFinal(job.state);
  const last = attempts[0];
  // A job that tries again shows what went wrong the last time.
  const again = !over && last !== undefined && job.failures > 0 ? last : undefined;
  const told = past ?? again;
  const bad = over && job.state !== "succeeded";
  const text = told ? told.error : bad ? job.error : null;
  const why = told ? (isBad(told) ? whyEnded(told) : "") : over && bad ? endText(job) : "";
  return {
    title: outcomeTitle(job, past ?? null, again && !past ? again : null),
    wrong: !(over && job.state === "cancelled" && !past),
    // Some ends have no words but their reason.
    error: text === null || text === told?.reason || text === job.reason ? "" : text,
    why: told && !isBad(told) ? "" : why,
    result: over && job.result !== null ? pretty(job.result) : "",
  };
}

function outcomeTitle(job: JobRow, past: AttemptRow | null, again: AttemptRow | null): string {
  if (again) return `Why attempt ${again.attempt} failed`;
  return job.state === "cancelled" && !past ? "Why it was cancelled" : "What went wrong";
}

function isBad(row: AttemptRow): boolean {
  return row.outcome !== "succeeded";
}

function endText(job: JobRow): string {
  const exit = job.exit_code === null || job.exit_code === 0 ? "" : `exit ${job.exit_code}`;
  const reason = job.reason && job.reason !== "exit_code" ? job.reason.replaceAll("_", " ") : "";
  return [exit, reason].filter((part) => part !== "").join(" · ");
}

/** A program is shown as one would type it; its JSON stands behind it. */
export function payloadModel({ rows }: JobPageInput) {
  const { payload, kind } = rows.job;
  const none = payload === null || payload === undefined;
  const exec = kind === "exec" ? execPayload.safeParse(payload) : null;
  return {
    json: none ? "" : pretty(payload),
    ...(exec?.success ? commandModel(exec.data.command) : { command: "", script: "" }),
  };
}

/** `sh -c` and its like: the script is what a person wants to read, without a layer of quotes. */
export function commandModel(words: readonly string[]): { command: string; script: string } {
  const [program = "", flag = "", script] = words;
  if (
    /^(?:\S*\/)?(?:ba|da|z|k)?sh$/.test(program) &&
    /^-\w*c$/.test(flag) &&
    script !== undefined
  ) {
    const rest = words.slice(3);
    const command = [program, flag, "…", ...rest.map(quoted)].join(" ");
    return { command, script };
  }
  return { command: words.map(quoted).join(" "), script: "" };
}

function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Readable JSON, cut where it would drown the page. */
const JSON_MAX = 64 * 1024;

function pretty(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  if (text.length <= JSON_MAX) return text;
  return `${text.slice(0, JSON_MAX)}\n… cut: ${bytes(text.length)} in all, see the API`;
}

export function attemptsModel({ rows, chosen }: JobPageInput) {
  return {
    ...{ id: rows.job.id, removed: isForgotten(rows) },
    attempts: rows.attempts.map((row) => ({
      attempt: row.attempt,
      current: row.attempt === (chosen ?? (rows.job.leased ? 0 : rows.job.attempt)),
      outcome: outcomeLabel(row.outcome),
      state: stateOfOutcome(row.outcome),
      why: whyEnded(row),
      worker: row.worker,
      at: row.dispatched_at.getTime(),
      waited: duration(row.dispatched_at.getTime() - row.ready_at.getTime()),
      ran: row.run_ms === null ? "–" : duration(row.run_ms),
      ram: row.peak_ram_mb === null ? "–" : mebibytes(row.peak_ram_mb),
      cpu: row.cpu_ms === null ? "–" : duration(row.cpu_ms),
      disk: diskText(row),
      oom: row.oom_killed === true,
      source: sourceText(row.usage_source),
      items: itemsText(row),
    })),
  };
}

function stateOfOutcome(outcome: AttemptRow["outcome"]): string {
  if (outcome === "succeeded") return "succeeded";
  if (outcome === "cancelled") return "cancelled";
  return outcome === "released" || outcome === "rejected" ? "queued" : "failed";
}

function whyEnded(row: AttemptRow): string {
  const parts = [
    row.exit_code === null || row.exit_code === 0 ? "" : `exit ${row.exit_code}`,
    row.signal ?? "",
    row.reason && row.reason !== "exit_code" ? row.reason.replaceAll("_", " ") : "",
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function diskText(row: AttemptRow): string {
  const { disk_read_bytes: read, disk_write_bytes: written } = row;
  if (read === null && written === null) return "–";
  return `${bytes(read)} / ${bytes(written)}`;
}

function sourceText(source: AttemptRow["usage_source"]): string {
  const parts = Object.entries(source ?? {}).map(([figure, from]) => `${figure}: ${from}`);
  return parts.length === 0 ? "" : `Measured by ${parts.join(", ")}`;
}

function itemsText(row: ItemCounts): string {
  if (row.items_success === null) return "";
  const parts = [`${count(row.items_success)} done`];
  if (row.items_failed) parts.push(`${count(row.items_failed)} failed`);
  if (row.items_skipped) parts.push(`${count(row.items_skipped)} skipped`);
  return parts.join(", ");
}

export function neighboursModel({ rows }: JobPageInput) {
  const print = (row: NeighbourRow) => ({
    id: row.id,
    shortId: shortId(row.id),
    name: row.name,
    state: row.state,
    label: stateLabel(row.state),
  });
  return {
    dependencies: rows.dependencies.map(print),
    dependents: rows.dependents.map(print),
    moreDependencies: rows.moreDependencies,
    moreDependents: rows.moreDependents,
  };
}
