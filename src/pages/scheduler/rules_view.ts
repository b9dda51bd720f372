/** Rules as rows with bars around zero: how much each has moved the scores. Pure. */
import { count, decimal, signed } from "../../web/format.ts";
import type { RuleSummary } from "../../web/metrics/scoring_summary.ts";
import { headline } from "../../web/words.ts";

export interface RuleRow {
  rule: string;
  label: string;
  help: string;
  formula: string;
  weight: string;
  avg: string;
  min: string;
  max: string;
  count: string;
  sign: "plus" | "minus" | "zero";
  /** Bar of the mean, in a view box of 200 with zero at 100. */
  x: number;
  width: number;
}

const MIDDLE = 100;

export function ruleRows(rules: readonly RuleSummary[]): RuleRow[] {
  const most = Math.max(1e-9, ...rules.map((rule) => Math.abs(rule.avg ?? 0)));
  const points = (value: number | null) => (value === null ? "–" : signed(value));
  return rules.map(({ rule, help, formula, weight, avg, min, max, count: n }) => {
    const isZero = !/[1-9]/.test(signed(avg ?? 0));
    const share = Math.abs(avg ?? 0) / most;
    const width = isZero ? 0 : Math.max(1, Math.round(share * (MIDDLE - 2)));
    const isNegative = (avg ?? 0) < 0;
    return {
      ...{ rule, label: headline(rule), help, formula, weight: decimal(weight) },
      ...{ avg: points(avg), min: points(min), max: points(max), count: count(n) },
      sign: isZero ? "zero" : isNegative ? "minus" : "plus",
      ...{ x: isNegative ? MIDDLE - width : MIDDLE, width },
    };
  });
}
