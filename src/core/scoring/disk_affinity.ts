import type { Rule } from "./context.ts";
import { clamp01, DISK_AFFINITY, FAST_DISK_MBPS, USUAL_DISK_BYTES } from "./weights.ts";

export const diskAffinity: Rule = {
  name: "disk_affinity",
  weight: DISK_AFFINITY,
  help: "Sends names that read and write more than most to workers with a fast disk.",
  formula:
    "60 × min(disk MB/s ÷ 500, 1) if the name's mean disk bytes ≥ the instance's mean " +
    "(unknown: 100 MiB)",
  min: 0,
  max: DISK_AFFINITY,
  score(job, worker, instance) {
    const bytes = job.history === null ? null : job.history.diskBytes;
    if (bytes === null || worker.diskMbps === null) return 0;
    if (bytes <= 0 || bytes < (instance.averages.diskBytes ?? USUAL_DISK_BYTES)) return 0;
    return DISK_AFFINITY * clamp01(worker.diskMbps / FAST_DISK_MBPS);
  },
};
