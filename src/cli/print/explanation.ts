/** Why a job waits, or why it ran where it ran, for people. Pure. */
import type { Explanation, Job } from "../../sdk/answers.ts";
import { type Paint, paintState } from "./colour.ts";
import { renderTable } from "./table.ts";
import { count, oneLine, wrap } from "./text.ts";

const BAR_WIDTH = 24;
/** More workers than these are counted, not listed. */
const WORKERS_SHOWN = 12;
const CANDIDATES_SHOWN = 5;
const BLOCKERS_SHOWN = 10;

type Veto = Explanation["vetoes"][number];
type WorkerView = Explanation["workers"][number];
type Dispatch = NonNullable<Explanation["dispatch"]>;

export function printExplanation(
  job: Pick<Job, "id" | "name">,
  explanation: Explanation,
  paint: Paint,
  columns: number | undefined,
): string {
  const width = Math.min(columns ?? 100, 100);
  const head = `${paint("bold", oneLine(job.name))}  ${paintState(paint, explanation.state)}  ${paint("dim", job.id)}`;
  const blocks = [
    head,
    printPlace(explanation),
    printVetoes(explanation.vetoes, paint, width),
    printBlockers(explanation, paint),
    printWorkers(explanation, paint, width),
    explanation.dispatch ? printDispatch(explanation.dispatch, paint, width) : undefined,
  ];
  return blocks.filter((block) => block !== undefined && block !== "").join("\n\n");
}

function printPlace(explanation: Explanation): string | undefined {
  const { position } = explanation;
  if (!position) return undefined;
  const line = `${position.capped ? "more than " : ""}${count(position.shape_ready, "job")}`;
  if (position.ahead === 0) return `Next in its line of ${line}.`;
  const atLeast = position.capped ? "At least " : "";
  return `${atLeast}${count(position.ahead, "job")} ahead of it, in a line of ${line}.`;
}

function printVetoes(vetoes: Veto[], paint: Paint, width: number): string | undefined {
  if (vetoes.length === 0) return undefined;
  const lines = vetoes.map((veto) => printVeto(veto, paint, width, ""));
  return [paint("bold", "What holds it back"), ...lines].join("\n");
}

function printVeto(veto: Veto, paint: Paint, width: number, indent: string): string {
  const mark = paint("red", "✗");
  const sentence = wrap(oneLine(veto.sentence), width, `${indent}  `);
  const way = wrap(`→ ${oneLine(veto.unblocks)}`, width, `${indent}    `);
  return `${indent}${mark} ${sentence}\n${indent}  ${paint("green", way)}`;
}

function printBlockers(explanation: Explanation, paint: Paint): string | undefined {
  const blockers = explanation.blocked_by ?? [];
  if (blockers.length === 0) return undefined;
  const lines = blockers
    .slice(0, BLOCKERS_SHOWN)
    .map(({ id, name, state }) => `  ${id}  ${oneLine(name)}  ${paintState(paint, state)}`);
  const rest = blockers.length - BLOCKERS_SHOWN;
  if (rest > 0) lines.push(`  and ${rest} more`);
  return [paint("bold", "It waits for"), ...lines].join("\n");
}

function printWorkers(explanation: Explanation, paint: Paint, width: number): string | undefined {
  const { workers } = explanation;
  // That nobody is there is a veto, told above.
  if (workers.length === 0) return undefined;
  // Whoever comes closest tells most: those that fit, then those with the fewest objections.
  const sorted = [...workers].sort((a, b) => a.vetoes.length - b.vetoes.length);
  const lines = sorted.slice(0, WORKERS_SHOWN).map((worker) => printWorker(worker, paint, width));
  const rest = workers.length - WORKERS_SHOWN;
  if (rest > 0) lines.push(`  and ${count(rest, "more worker", "more workers")}`);
  return [paint("bold", "Workers"), ...lines].join("\n");
}

function printWorker(worker: WorkerView, paint: Paint, width: number): string {
  const name = oneLine(worker.name);
  if (worker.vetoes.length === 0) {
    const score = worker.score === undefined ? "" : `, score ${points(worker.score)}`;
    return `  ${paint("green", "✓")} ${name} fits${score}`;
  }
  const vetoes = worker.vetoes.map((veto) => printVeto(veto, paint, width, "    "));
  return [`  ${name}`, ...vetoes].join("\n");
}

function printDispatch(dispatch: Dispatch, paint: Paint, width: number): string {
  const considered =
    (dispatch.considered ?? 0) > 0 ? ` (${count(dispatch.considered!, "pair")} considered)` : "";
  const title = paint(
    "bold",
    `Attempt ${dispatch.attempt} went to ${oneLine(dispatch.worker.name)} with ${points(dispatch.score)} points${considered}`,
  );
  return [title, printTerms(dispatch, paint, width), printCandidates(dispatch)]
    .filter((part) => part !== "")
    .join("\n");
}

/** A bar a rule, longest for the strongest; what spoke against it is drawn in another sign. */
function printTerms(dispatch: Dispatch, paint: Paint, width: number): string {
  const most = Math.max(...dispatch.terms.map((term) => Math.abs(term.contribution)), 1e-9);
  const terms = [...dispatch.terms].sort(
    (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution),
  );
  return renderTable(
    [
      { title: "  RULE", value: (term) => `  ${term.rule.replaceAll("_", " ")}` },
      { title: "POINTS", value: (term) => signed(term.contribution), align: "right" },
      { title: "", value: (term) => bar(term.contribution / most, paint) },
      { title: "REWARDS", value: (term) => oneLine(term.help), shrinkTo: 12 },
    ],
    terms,
    width,
    paint,
  );
}

export function bar(part: number, paint: Paint): string {
  const eighths = Math.round(Math.min(1, Math.abs(part)) * BAR_WIDTH * 8);
  const whole = part < 0 ? "░" : "█";
  const rest = part < 0 ? "" : " ▏▎▍▌▋▊▉".charAt(eighths % 8).trim();
  const text = whole.repeat(part < 0 ? Math.round(eighths / 8) : Math.floor(eighths / 8)) + rest;
  return paint(part < 0 ? "red" : "green", text);
}

function points(score: number): string {
  return `${score < 0 ? "−" : ""}${Math.abs(score).toFixed(2)}`;
}

function signed(score: number): string {
  return score < 0 ? points(score) : `+${points(score)}`;
}

function printCandidates(dispatch: Dispatch): string {
  if (dispatch.candidates.length === 0) return "";
  const lines = dispatch.candidates
    .slice(0, CANDIDATES_SHOWN)
    .map(({ job, name, score }) => `  ${job}  ${oneLine(name ?? "?")}  ${score.toFixed(2)}`);
  return ["", "  Passed over", ...lines].join("\n");
}
