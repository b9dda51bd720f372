/** The page about eligibility and scoring, as text, made from the rules themselves. */
import { REJECTIONS_BEFORE_BACKOFF } from "../../src/core/job_end.ts";
import { WINDOW_NAMES, type WindowName } from "../../src/core/metrics/windows.ts";
import { SECONDS_PER_POINT } from "../../src/core/rank.ts";
import { CALIBRATED_BY } from "../../src/core/scoring/calibration.ts";
import type { Rule, ScoringInstance } from "../../src/core/scoring/context.ts";
import { RULES, RULES_VERSION } from "../../src/core/scoring/score.ts";
import { handicapSeconds } from "../../src/core/scoring/starvation.ts";
import {
  USUAL_CPU_MS,
  USUAL_DISK_BYTES,
  USUAL_NETWORK_MBPS,
  USUAL_WAIT_SECONDS,
} from "../../src/core/scoring/weights.ts";
import { exampleVetoes } from "./vetoes.ts";

const MEAN_WAITS = [null, 60, 240, 3600, 86_400];

/** By path within `docs/`. */
export function schedulingFiles(): Record<string, string> {
  return { "scheduling.md": page() };
}

function page(): string {
  return `# Which job goes where, and why

Made from \`src/core/eligibility\` and \`src/core/scoring\` by \`bun docs/write.ts\`; a test fails
while this page is out of date.

A free slot is filled in two steps. *Eligibility* says what must not be: a list of vetoes, each a
sentence. *Scoring* says what is best among the rest: a sum of rules, each a number. Both are pure
functions, and both stand behind *why is this job not running?* as well, so that the explanation
cannot disagree with the decision.

## The line

Ready jobs stand in line by rank: the time at which they became ready, less ${SECONDS_PER_POINT}
seconds for each point of priority. A rank never changes while a job is ready, so every job comes to
the head.

## Vetoes

A worker that rejects a job is not offered it again; from rejection ${REJECTIONS_BEFORE_BACKOFF} on
the job backs off before anybody else is. A worker that takes a job and gives it back (\`released\`)
counts as one that rejects it, but may get it again; while it drains, giving back counts as nothing.

${table(
  ["veto", "as it is told", "what takes it away"],
  exampleVetoes().map(({ rule, sentence, unblocks }) => [code(rule), sentence, unblocks]),
)}

## Rules (version ${RULES_VERSION})

The best pair of job and worker over all free slots goes first. Figures that nobody has measured
give no points. Every dispatch keeps its terms, and the best of those that were passed over.

${table(["rule", "points", "rewards or avoids", "formula"], RULES.map(ruleRow))}

How much they weigh against each other is argued in \`src/core/scoring/weights.ts\`.

## What counts as usual

The *mean wait* and *the instance's mean* in these formulas are of all jobs of all organizations, out
of the [rollups](metrics.md), over ${list(WINDOW_NAMES.map((name) => WINDOW_WORDS[name]))}. The windows
end with the last whole minute that rollups hold, and every server reads them again each half
minute, so what happens shows in them one to three minutes later; a window that ended longer ago than
it is long, because nobody has computed rollups, counts as one without samples. Means have three
digits.

${table(["figure", "goes by", "without samples"], USUAL.map(usualRow))}

Each dispatch freezes all three windows with what the rules went by, and *why* shows them to those who
may see everybody's jobs: queue wait, start latency, run time, processor time, peak memory, disk and
network of attempts, how many jobs ended well or failed for good, and the share that failed. A figure
that nobody has measured is null, not 0; counts are 0.

## No job starves

All rules but the first are bounded. So a job that is ahead in line by the figure below is taken
before any other, however well that one suits and however badly this one does.

${table(["mean wait", "ahead by at most"], MEAN_WAITS.map(handicapRow))}
`;
}

function ruleRow({ name, min, max, help, formula }: Rule): string[] {
  const points = min === null || max === null ? "no bound" : `${figure(min)} to ${figure(max)}`;
  return [code(name), points, help, formula];
}

const WINDOW_WORDS: Record<WindowName, string> = {
  w5m: "the last five minutes",
  w1h: "the last hour",
  w24h: "the last day",
};

type Calibrated = keyof typeof CALIBRATED_BY;
const USUAL: readonly [Calibrated, name: string, otherwise: string][] = [
  ["waitSeconds", "wait in line", `${USUAL_WAIT_SECONDS} s`],
  ["cpuMs", "processor time of an attempt", `${USUAL_CPU_MS / 1_000} s`],
  ["diskBytes", "read and written by an attempt", `${USUAL_DISK_BYTES / 2 ** 20} MiB`],
  ["networkMbps", "network while an attempt ran", `${USUAL_NETWORK_MBPS} Mbit/s`],
];

function usualRow([key, name, otherwise]: (typeof USUAL)[number]): string[] {
  const windows = CALIBRATED_BY[key].map((window) => WINDOW_WORDS[window]);
  return [name, windows.join(", else "), otherwise];
}

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function handicapRow(waitSeconds: number | null): string[] {
  const instance = { averages: { waitSeconds } } as ScoringInstance;
  const hours = handicapSeconds(instance) / 3600;
  const ahead = hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(1)} days`;
  const usual = waitSeconds === null ? "unknown" : `${figure(waitSeconds)} s`;
  return [usual, ahead];
}

function figure(value: number): string {
  return String(value)
    .replace("-", "−")
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function code(word: string): string {
  return `\`${word}\``;
}
