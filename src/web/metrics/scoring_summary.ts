/** What scores and rules were over a span: told by the page of the scheduler and by the API alike. */
import { type Bar, barsOf } from "../../core/metrics/bars.ts";
import type { Coverage } from "../../core/metrics/series.ts";
import type { Scope } from "../../core/scope.ts";
import { RULES } from "../../core/scoring/score.ts";
import { readTotals, type SeriesAsk, type SeriesDeps } from "./read_series.ts";

export interface RuleSummary {
  rule: string;
  /** Null where it has judged nothing. */
  avg: number | null;
  min: number | null;
  max: number | null;
  count: number;
  weight: number;
  help: string;
  formula: string;
}

export interface ScoringSummary {
  /** Attempts that have ended and had a score. */
  count: number;
  min: number | null;
  max: number | null;
  avg: number | null;
  bars: Bar[];
  /** Those that moved the most first. */
  rules: RuleSummary[];
  covered: Coverage;
}

/** More are not told apart by eye. */
const BARS_MAX = 24;

/** Scores are kept by organization, not by queue or name: `group` names nothing else. */
export async function readScoring(
  deps: SeriesDeps,
  scope: Scope,
  { granularity, from, to, group }: Pick<SeriesAsk, "granularity" | "from" | "to" | "group">,
): Promise<ScoringSummary> {
  const span = { granularity, from, to, group };
  const terms = RULES.map((rule) => `score.${rule.name}`);
  const [scores, rules] = await Promise.all([
    readTotals(deps, scope, { ...span, metrics: ["score.total"] }),
    readTotals(deps, scope, { ...span, metrics: terms, histograms: false }),
  ]);
  const { count, least, most, avg, histogram } = scores.totals[0]!;
  const bars = barsOf(histogram, { least, most }, BARS_MAX);
  const told = RULES.map(({ name, weight, help, formula }, at) => {
    const of = rules.totals[at]!;
    const figures = { avg: of.avg, min: of.least, max: of.most, count: of.count };
    return { rule: name, ...figures, weight, help, formula };
  });
  // Sorting keeps the order of the rules where two moved as much.
  told.sort((a, b) => Math.abs(b.avg ?? 0) - Math.abs(a.avg ?? 0));
  return { count, min: least, max: most, avg, bars, rules: told, covered: scores.covered };
}
