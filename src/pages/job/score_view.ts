/** A dispatch's score as diverging bars around zero, and what was passed over for it. Pure. */
import type { Explanation, TermView } from "../../engine/explain.ts";
import { decimal, plural, shortId, signed } from "../../web/format.ts";
import { headline } from "../../web/words.ts";

export interface TermRow {
  rule: string;
  label: string;
  help: string;
  formula: string;
  weight: string;
  value: string;
  sign: "plus" | "minus" | "zero";
  /** Bar in a view box of 200 with zero at 100. */
  x: number;
  width: number;
}

export interface ScoreModel {
  total: string;
  worker: string;
  attempt: number;
  terms: TermRow[];
  /** Empty where the reader may not know. */
  considered: string;
  /** How many of other organizations were passed over too; empty for none. */
  hidden: string;
  candidates: { id: string; shortId: string; name: string; score: string; behind: string }[];
}

const MIDDLE = 100;

/** Largest influence first; rules that said nothing stand last. */
export function termRows(terms: readonly TermView[]): TermRow[] {
  const most = Math.max(1e-9, ...terms.map((term) => Math.abs(term.contribution)));
  return [...terms]
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .map((term) => {
      const value = signed(term.contribution);
      const zero = !/[1-9]/.test(value);
      const share = Math.abs(term.contribution) / most;
      const width = zero ? 0 : Math.max(1, Math.round(share * (MIDDLE - 2)));
      const negative = term.contribution < 0;
      return {
        rule: term.rule,
        label: headline(term.rule),
        help: term.help,
        formula: term.formula,
        weight: decimal(term.weight),
        value,
        sign: zero ? "zero" : negative ? "minus" : "plus",
        x: negative ? MIDDLE - width : MIDDLE,
        width,
      };
    });
}

export function scoreModel(dispatch: NonNullable<Explanation["dispatch"]>): ScoreModel {
  return {
    total: signed(dispatch.score).replace("+", ""),
    worker: dispatch.worker.name,
    attempt: dispatch.attempt,
    terms: termRows(dispatch.terms),
    considered: dispatch.considered === null ? "" : plural(dispatch.considered, "pair"),
    hidden: dispatch.hidden_candidates ? plural(dispatch.hidden_candidates, "job") : "",
    candidates: dispatch.candidates.map((candidate) => ({
      id: candidate.job,
      shortId: shortId(candidate.job),
      name: candidate.name ?? "a job that is gone",
      score: signed(candidate.score).replace("+", ""),
      behind: signed(candidate.score - dispatch.score),
    })),
  };
}
