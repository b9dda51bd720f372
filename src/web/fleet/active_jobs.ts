/** Jobs that each connected worker has now. Pure. */
import type { LiveWorker } from "./live_workers.ts";
import { WORKERS_SHOWN } from "./utilisation.ts";
import { workerLabels } from "./worker_totals.ts";

export interface ActiveJobs {
  label: string;
  active: number;
  free: number;
}

/** The busiest first; beyond `WORKERS_SHOWN` the others as one. */
export function activeJobs(workers: readonly LiveWorker[]): ActiveJobs[] {
  const labels = workerLabels(workers);
  const all = workers.map(({ used, slots }, at) => ({
    label: labels[at]!,
    active: used,
    free: Math.max(0, slots - used),
  }));
  all.sort((a, b) => b.active - a.active || b.free - a.free);
  const rest = all.slice(WORKERS_SHOWN);
  const shown = all.slice(0, WORKERS_SHOWN);
  if (rest.length === 0) return shown;
  const sum = (key: "active" | "free") => rest.reduce((total, one) => total + one[key], 0);
  return [...shown, { label: `${rest.length} others`, active: sum("active"), free: sum("free") }];
}
