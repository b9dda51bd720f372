import type { Rule } from "./context.ts";
import { clamp01, NETWORK_AFFINITY, USUAL_NETWORK_MBPS } from "./weights.ts";

export const networkAffinity: Rule = {
  name: "network_affinity",
  weight: NETWORK_AFFINITY,
  help: "Sends names that use the network more than most to workers with a fast link.",
  formula:
    "80 × min(network Mbit/s ÷ mean, 1) if the name's mean Mbit/s ≥ the instance's mean " +
    "(unknown: 100)",
  min: 0,
  max: NETWORK_AFFINITY,
  score(job, worker, instance) {
    const used = job.history === null ? null : job.history.networkMbps;
    if (used === null || worker.networkMbps === null) return 0;
    const usual = instance.averages.networkMbps ?? USUAL_NETWORK_MBPS;
    if (used <= 0 || used < usual) return 0;
    return NETWORK_AFFINITY * (usual > 0 ? clamp01(worker.networkMbps / usual) : 1);
  },
};
