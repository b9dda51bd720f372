/** What the page of one worker prints beside its charts. */
import type { LiveWorker } from "../../web/fleet/live_workers.ts";
import type { Connection, KnownWorker, WorkerSeries } from "../../web/fleet/one_worker.ts";
import { count, duration, minute, plural } from "../../web/format.ts";
import type { Figure } from "../../web/metrics/metric_page.ts";
import type { Series } from "../../web/metrics/read_series.ts";

export function leadOf({ org, pool, system, uid }: KnownWorker): string {
  const whose = org === null ? "Shared by all organizations" : `Of organization ${org}`;
  return `${whose} · pool ${pool} · system ${system ?? "not told"} · ${uid}`;
}

export function figuresOf({
  live,
  series,
  isTold,
}: {
  live: LiveWorker | undefined;
  series: WorkerSeries;
  isTold: boolean;
}): Figure[] {
  const { state, connectedAt, used, slots } = live ?? {};
  const figures: Figure[] = [
    {
      ...{ id: "state", label: "Now", value: state ?? "not connected" },
      ...(connectedAt === undefined ? {} : { note: `since ${minute(connectedAt)}` }),
      ...(state === "ready" ? {} : { tone: "warn" as const }),
    },
    {
      ...{ id: "slots", label: "Slots in use now", value: count(used ?? 0) },
      note: `of ${plural(slots ?? 0, "slot")}`,
    },
    {
      ...{ id: "dispatched", label: "Jobs dispatched" },
      value: isTold ? count(sumOf(series.dispatched)) : "not told",
      note: isTold ? "to it, in this time" : "it also runs jobs of other organizations",
    },
  ];
  return figures;
}

function sumOf({ points }: Series): number {
  return points.reduce((sum, point) => sum + (point.count ?? 0), 0);
}

const REASONS: Readonly<Record<string, string>> = {
  closed: "closed: it left while it held nothing",
  superseded: "it connected anew",
  lapsed: "its lease ran out",
  away: "its socket is gone, its lease holds",
};

export function connectionRows(connections: readonly Connection[]) {
  return connections.map(({ connectedAt, disconnectedAt, durationMs, slots, reason }) => ({
    ...{ connectedAt, disconnectedAt, slots: count(slots), duration: duration(durationMs) },
    reason: reason === null ? "connected" : (REASONS[reason] ?? reason),
  }));
}
