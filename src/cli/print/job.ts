/** One job in words: what it is, where it stands, how long each phase took. */
import type { Attempt, Job } from "../../sdk/answers.ts";
import { type Paint, paintState } from "./colour.ts";
import { type Column, renderFacts, renderTable } from "./table.ts";
import { cut, oneLine } from "./text.ts";
import { between, printDuration, printTime } from "./time.ts";

export function workerName(worker: Job["worker"]): string | undefined {
  return worker ? oneLine(worker.name) : undefined;
}

export function describeJob(
  job: Job,
  attempts: Attempt[],
  paint: Paint,
  width: number | undefined,
  nowMs: number,
): string {
  const head = `${paint("bold", oneLine(job.name))}  ${paintState(paint, job.state)}  ${paint("dim", job.id)}`;
  const blocks = [head, "", renderFacts(facts(job, width), paint)];
  const phases = renderFacts(phaseFacts(job, nowMs), paint);
  if (phases !== "") blocks.push("", phases);
  if (attempts.length > 1) blocks.push("", attemptsTable(attempts, paint, width));
  return blocks.join("\n");
}

function facts(job: Job, width: number | undefined): [string, string | undefined][] {
  const room = width === undefined ? 2_000 : Math.max(20, width - 16);
  return [
    ["queue", job.queue],
    ["does", what(job, room)],
    ["needs", needs(job)],
    ["priority", job.priority === 0 ? undefined : String(job.priority)],
    ["attempt", attemptWords(job)],
    ["waiting for", job.waiting_for?.replaceAll("_", " ")],
    ["worker", workerName(job.worker)],
    ["tags", tagWords(job)],
    ["workflow", workflowWords(job)],
    ["exit code", job.exit_code === null ? undefined : String(job.exit_code)],
    ["reason", job.reason?.replaceAll("_", " ")],
    ["error", job.error ? cut(oneLine(job.error), room) : undefined],
    ["result", job.result == null ? undefined : cut(oneLine(JSON.stringify(job.result)), room)],
  ];
}

function what(job: Job, room: number): string {
  const { command } = (job.payload ?? {}) as { command?: unknown };
  if (job.kind === "exec" && Array.isArray(command)) {
    return cut(oneLine(command.map(quote).join(" ")), room);
  }
  return `${job.kind} ${cut(oneLine(JSON.stringify(job.payload ?? null)), room)}`;
}

/** As it would be typed in a shell. */
export function quote(argument: unknown): string {
  const text = String(argument);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function needs(job: Job): string | undefined {
  const { system, features, pool, ram_mb, cpus } = job.requirements ?? {};
  const words = [
    system,
    ...(features ?? []),
    pool ? `pool ${pool}` : undefined,
    ram_mb ? `${ram_mb} MiB RAM` : undefined,
    cpus ? `${cpus} CPUs` : undefined,
  ].filter((word): word is string => word !== undefined && word !== null);
  return words.length > 0 ? words.join(", ") : undefined;
}

function attemptWords(job: Job): string | undefined {
  if (job.attempt === 0) return undefined;
  const failures = job.failures > 0 ? `, ${job.failures} of ${job.max_attempts} failures used` : "";
  return `${job.attempt}${failures}`;
}

function tagWords(job: Job): string | undefined {
  const tags = Object.entries(job.tags);
  if (tags.length === 0) return undefined;
  return tags.map(([name, value]) => oneLine(`${name}=${value}`)).join(" ");
}

function workflowWords(job: Job): string | undefined {
  const words = job.workflows.map(({ id, key }) => `${id} (${oneLine(key)})`);
  return words.length > 0 ? words.join(", ") : undefined;
}

/** The waits as the architecture defines them; the one that still grows is counted up to now. */
function phaseFacts(job: Job, nowMs: number): [string, string | undefined][] {
  const now = new Date(nowMs).toISOString();
  const ended = job.finished_at;
  const wait = (from: string | null, to: string | null) => {
    const ms = between(from, to ?? (ended ? null : now));
    return ms === undefined ? undefined : printDuration(ms);
  };
  const phase = (at: string | null, label: string, lasted: string | undefined) =>
    [label, at ? `${printTime(at)}${lasted ? `  ${lasted}` : ""}` : undefined] as [
      string,
      string | undefined,
    ];
  return [
    phase(job.queued_at, "queued", wait(job.queued_at, job.ready_at)),
    phase(job.ready_at, "ready", wait(job.ready_at, job.dispatched_at)),
    phase(job.dispatched_at, "dispatched", wait(job.dispatched_at, job.started_at)),
    phase(job.started_at, "started", wait(job.started_at, job.finished_at)),
    phase(job.finished_at, "finished", undefined),
  ];
}

function attemptsTable(attempts: Attempt[], paint: Paint, width: number | undefined): string {
  const columns: Column<Attempt>[] = [
    { title: "ATTEMPT", value: (each) => String(each.attempt), align: "right" },
    { title: "OUTCOME", value: (each) => each.outcome?.replaceAll("_", " ") ?? "alive" },
    { title: "WORKER", value: (each) => workerName(each.worker) ?? "-", shrinkTo: 6 },
    { title: "STARTED", value: (each) => printTime(each.started_at) },
    {
      title: "RAN",
      value: ({ waits }) => (waits.run_ms === null ? "-" : printDuration(waits.run_ms)),
      align: "right",
    },
    { title: "WHY", value: (each) => oneLine(each.error ?? each.reason ?? ""), shrinkTo: 10 },
  ];
  return renderTable(columns, attempts, width, paint);
}
