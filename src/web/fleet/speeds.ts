/** How fast the hosts of workers read, wrote, sent and received over a span. Pure. */
import { WORKERS_SHOWN } from "./utilisation.ts";
import { type WorkerTotals, workerLabels } from "./worker_totals.ts";

export const SPEED_METRICS = ["worker.network_mbps", "worker.disk_mbps"] as const;
export type SpeedMetric = (typeof SPEED_METRICS)[number];

export interface Speed {
  label: string;
  mean: number;
  peak: number;
}

/** The greatest mean first; the others as one: the mean of their looks, and the greatest peak. */
export function speeds(totals: readonly WorkerTotals[], metric: SpeedMetric): Speed[] {
  const labels = workerLabels(totals);
  const all = totals.flatMap(({ of }, at) => {
    const total = of.get(metric);
    if (total === undefined || total.count === 0) return [];
    return [{ ...total, label: labels[at]!, mean: total.sum / total.count, peak: total.most }];
  });
  all.sort((a, b) => b.mean - a.mean || b.peak - a.peak);
  const plain = ({ label, mean, peak }: Speed): Speed => ({ label, mean, peak });
  const shown = all.slice(0, WORKERS_SHOWN).map(plain);
  const rest = all.slice(WORKERS_SHOWN);
  if (rest.length === 0) return shown;
  const sum = rest.reduce((total, one) => total + one.sum, 0);
  const looks = rest.reduce((total, one) => total + one.count, 0);
  const peak = Math.max(...rest.map((one) => one.peak));
  return [...shown, { label: `${rest.length} others`, mean: sum / looks, peak }];
}
