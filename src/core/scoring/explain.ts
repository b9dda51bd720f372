/** Stored terms, made readable for a person. */
import { RULES, RULES_VERSION } from "./score.ts";

export interface Term {
  rule: string;
  /** Points that this rule gave. */
  contribution: number;
  weight: number;
  help: string;
  formula: string;
}

type RuleFacts = Omit<Term, "rule" | "contribution"> & { name: string };

/** By version, in the order of the stored terms. When the rules change, the old facts move here. */
const RULES_BY_VERSION: ReadonlyMap<number, readonly RuleFacts[]> = new Map([
  [RULES_VERSION, RULES],
]);

/**
 * One entry per stored term, in stored order. Terms of a version that nobody remembers keep their
 * figures and are named by their place.
 */
export function explainTerms(terms: ArrayLike<number>, rulesVersion: number): Term[] {
  const facts = RULES_BY_VERSION.get(rulesVersion) ?? [];
  return Array.from(terms, (contribution, at) => ({
    rule: facts[at]?.name ?? `rule_${at + 1}`,
    contribution,
    weight: facts[at]?.weight ?? 0,
    help: facts[at]?.help ?? `A rule of version ${rulesVersion}, which is no longer known.`,
    formula: facts[at]?.formula ?? "",
  }));
}
