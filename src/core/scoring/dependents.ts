import type { Rule } from "./context.ts";
import { DEPENDENTS, DEPENDENTS_HALF } from "./weights.ts";

export const dependents: Rule = {
  name: "dependents",
  weight: DEPENDENTS,
  help:
    "Rewards jobs with a long way of other jobs behind them, so that a workflow's critical path " +
    "starts early. Counts the longest way, not only direct dependents.",
  formula: "50 × path ÷ (path + 10); a job on the path counts 1, plus 1 a minute of its usual run",
  min: 0,
  max: DEPENDENTS,
  score: (job) =>
    job.dependents > 0
      ? DEPENDENTS * (1 - DEPENDENTS_HALF / (job.dependents + DEPENDENTS_HALF))
      : 0,
};
