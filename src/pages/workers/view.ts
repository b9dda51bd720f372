/** What the page of the fleet prints beside its charts. */
import type { Load } from "../../core/fleet_load.ts";
import type { FleetSize } from "../../db/fleet.ts";
import type { LiveWorker } from "../../web/fleet/live_workers.ts";
import { count, decimal, mebibytes, percent, plural } from "../../web/format.ts";
import type { Figure } from "../../web/metrics/metric_page.ts";

const KINDS: Readonly<Record<string, string>> = { exec: "commands", handler: "handlers" };

export function loadLabel({ group, key }: Pick<Load, "group" | "key">): string {
  if (group === "kind") return KINDS[key ?? ""] ?? "";
  return `${group} ${key ?? "not told"}`;
}

export function loadRows(loads: readonly Load[], percentOf: (load: Load) => number | null) {
  return loads.map((load) => {
    const share = percentOf(load);
    return {
      label: loadLabel(load),
      workers: count(load.workers),
      used: `${count(load.inFlight)} of ${count(load.capacity)}`,
      percent: share === null ? "–" : percent(share / 100),
    };
  });
}

export function figuresOf(live: readonly LiveWorker[], { workers }: FleetSize): Figure[] {
  const here = live.filter((worker) => worker.state !== "away");
  const sum = (of: (worker: LiveWorker) => number) => here.reduce((n, one) => n + of(one), 0);
  const of = (state: LiveWorker["state"]) => live.filter((one) => one.state === state).length;
  const [used, slots, away] = [sum((one) => one.used), sum((one) => one.slots), of("away")];
  return [
    {
      ...{ id: "workers", label: "Connected", value: count(here.length) },
      note:
        workers.hidden > 0
          ? `of ${count(workers.total)}, ${count(workers.hidden)} hidden`
          : `${count(of("ready"))} ready`,
    },
    {
      ...{ id: "draining", label: "Draining", value: count(of("draining")) },
      note: "take no new jobs",
    },
    {
      ...{ id: "away", label: "Away", value: count(away) },
      ...{ note: "their jobs still count as running" },
      ...(away > 0 ? { tone: "warn" as const } : {}),
    },
    {
      ...{ id: "slots", label: "Slots in use", value: count(used) },
      note: `of ${plural(slots, "slot")}${slots > 0 ? `, ${percent(used / slots)}` : ""}`,
    },
  ];
}

/** A longer table is read by nobody; the API has all. */
const ROWS_MAX = 500;

export function workerRows(live: readonly LiveWorker[]) {
  return {
    rows: live.slice(0, ROWS_MAX).map(rowOf),
    more: live.length > ROWS_MAX ? count(live.length - ROWS_MAX) : null,
  };
}

function rowOf({ uid, name, org, pool, system, state, slots, used, ...rest }: LiveWorker) {
  const { cpu_pct, ram_free_mb, ram_total_mb, disk_mbps, network_mbps } = rest.metrics;
  return {
    ...{ uid, name, org, pool, system: system ?? "–", state },
    slots: `${count(used)} / ${count(slots)}`,
    cpu: cpu_pct === undefined ? "–" : percent(cpu_pct / 100),
    ram: ramText(ram_free_mb, ram_total_mb),
    ...{ disk: decimal(disk_mbps, 1), network: decimal(network_mbps, 1) },
    connectedAt: rest.connectedAt,
  };
}

function ramText(free: number | undefined, total: number | undefined): string {
  if (free === undefined) return "–";
  return total === undefined ? mebibytes(free) : `${mebibytes(free)} of ${mebibytes(total)}`;
}
