import type { Rule } from "./context.ts";
import { CPU_HEADROOM, clamp01, USUAL_CPU_MS } from "./weights.ts";

export const cpuHeadroom: Rule = {
  name: "cpu_headroom",
  weight: CPU_HEADROOM,
  help: "Sends names that compute more than most to workers whose processors are idle.",
  formula:
    "50 × (1 − CPU % ÷ 100) if the name's mean CPU time > the instance's mean (unknown: 60 s)",
  min: 0,
  max: CPU_HEADROOM,
  score(job, worker, instance) {
    const cpuMs = job.history === null ? null : job.history.cpuMs;
    if (cpuMs === null || worker.cpuPct === null) return 0;
    if (cpuMs <= (instance.averages.cpuMs ?? USUAL_CPU_MS)) return 0;
    return CPU_HEADROOM * clamp01(1 - worker.cpuPct / 100);
  },
};
