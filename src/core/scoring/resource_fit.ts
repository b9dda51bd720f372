import type { Rule } from "./context.ts";
import { expectedRamMb, spareRamMb } from "./memory.ts";
import { OVERSHOOT_MAX, RESOURCE_FIT } from "./weights.ts";

export const resourceFit: Rule = {
  name: "resource_fit",
  weight: RESOURCE_FIT,
  help:
    "Avoids workers with less free memory than jobs of this name usually need at their peak, the " +
    "more so the larger the gap and the more often the kernel has killed such jobs for memory.",
  formula:
    "−400 × min((p95 RAM of the name − spare RAM) ÷ spare RAM, 2) × (1 + OOM rate of the name); " +
    "0 where it fits. p95 unknown: what the job reserves. Spare RAM = min(free, total − reserved)",
  min: -RESOURCE_FIT * OVERSHOOT_MAX * 2,
  max: 0,
  score(job, worker) {
    const needed = expectedRamMb(job);
    const spare = spareRamMb(worker);
    if (needed === null || spare === null || needed <= spare) return 0;
    const overshoot = spare > 0 ? Math.min((needed - spare) / spare, OVERSHOOT_MAX) : OVERSHOOT_MAX;
    return -RESOURCE_FIT * overshoot * (1 + (job.history?.oomRate ?? 0));
  },
};
