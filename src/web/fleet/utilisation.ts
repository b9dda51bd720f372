/** How full each worker's slots were over a span: slot time that held an attempt, of slot time offered. Pure. */
import { type WorkerTotals, workerLabels } from "./worker_totals.ts";

export const WORKERS_SHOWN = 20;
export const UTILISATION_METRICS = ["slots.used", "slots.offered"] as const;

export interface Utilisation {
  label: string;
  /** Null: all others together. */
  uid: string | null;
  used: number;
  offered: number;
  percent: number;
}

/** The fullest first; beyond `WORKERS_SHOWN` the others as one. */
export function utilisation(totals: readonly WorkerTotals[]): Utilisation[] {
  const labels = workerLabels(totals);
  const all = totals.flatMap(({ uid, of }, at) => {
    const offered = of.get("slots.offered")?.sum ?? 0;
    const used = of.get("slots.used")?.sum ?? 0;
    return offered > 0 ? [filled({ label: labels[at]!, uid, used, offered })] : [];
  });
  all.sort((a, b) => b.percent - a.percent || b.offered - a.offered);
  const rest = all.slice(WORKERS_SHOWN);
  const shown = all.slice(0, WORKERS_SHOWN);
  if (rest.length === 0) return shown;
  const sum = (of: (one: Utilisation) => number) => rest.reduce((total, one) => total + of(one), 0);
  const [used, offered] = [sum((one) => one.used), sum((one) => one.offered)];
  return [...shown, filled({ label: `${rest.length} others`, uid: null, used, offered })];
}

function filled(one: Omit<Utilisation, "percent">): Utilisation {
  return { ...one, percent: (one.used / one.offered) * 100 };
}
