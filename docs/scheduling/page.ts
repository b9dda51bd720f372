/** The page about eligibility and scoring, as text, made from the rules themselves. */
import { REJECTIONS_BEFORE_BACKOFF } from "../../src/core/job_end.ts";
import { SECONDS_PER_POINT } from "../../src/core/rank.ts";
import type { Rule, ScoringInstance } from "../../src/core/scoring/context.ts";
import { RULES, RULES_VERSION } from "../../src/core/scoring/score.ts";
import { handicapSeconds } from "../../src/core/scoring/starvation.ts";
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

## No job starves

All rules but the first are bounded. So a job that is ahead in line by the figure below is taken
before any other, however well that one suits and however badly this one does.

${table(["mean wait of the last hour", "ahead by at most"], MEAN_WAITS.map(handicapRow))}
`;
}

function ruleRow({ name, min, max, help, formula }: Rule): string[] {
  const points = min === null || max === null ? "no bound" : `${figure(min)} to ${figure(max)}`;
  return [code(name), points, help, formula];
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
