import type { Rule } from "./context.ts";
import { predictedRamMb, spareRamMb } from "./memory.ts";
import { RAM_MARGIN, SATURATED_CPU_PCT, SATURATED_RAM_FREE, SATURATION } from "./weights.ts";

export const saturation: Rule = {
  name: "saturation",
  weight: SATURATION,
  help:
    "Avoids workers that are busy already: processor at 80 % or more, or at most 10 % of the " +
    "memory free; and again where this name, with a margin, would not fit into what is left.",
  formula:
    "−1000 if CPU ≥ 80 % or free ÷ total RAM ≤ 0.1; another −1000 if 1.1 × p95 RAM of the name " +
    "> spare RAM",
  min: -2 * SATURATION,
  max: 0,
  score(job, worker) {
    let points = 0;
    const busy = worker.cpuPct !== null && worker.cpuPct >= SATURATED_CPU_PCT;
    const full =
      worker.ramFreeMb !== null &&
      worker.ramTotalMb !== null &&
      worker.ramFreeMb <= SATURATED_RAM_FREE * worker.ramTotalMb;
    if (busy || full) points -= SATURATION;
    const needed = predictedRamMb(job);
    const spare = spareRamMb(worker);
    if (needed !== null && spare !== null && needed * RAM_MARGIN > spare) points -= SATURATION;
    return points;
  },
};
