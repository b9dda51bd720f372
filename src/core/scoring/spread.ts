import type { Rule } from "./context.ts";
import { clamp01, SPREAD } from "./weights.ts";

export const spread: Rule = {
  name: "spread",
  weight: SPREAD,
  help: "Rewards workers with many free slots, so that work spreads over the fleet.",
  formula: "40 × free slots ÷ slots",
  min: 0,
  max: SPREAD,
  score: (_job, worker) =>
    worker.slots > 0 ? SPREAD * clamp01((worker.slots - worker.used) / worker.slots) : 0,
};
