/** How full the slots are that could take a job, by what their workers can. Pure. */

export interface LoadedWorker {
  /** Null where it did not tell. */
  system: string | null;
  pool: string;
  runsExec: boolean;
  hasHandlers: boolean;
  state: "ready" | "draining" | "away";
  slots: number;
  used: number;
}

export const LOAD_GROUPS = ["system", "pool", "kind"] as const;
export type LoadGroup = (typeof LOAD_GROUPS)[number];

export interface Load {
  group: LoadGroup;
  /** Null: workers that did not tell their system. */
  key: string | null;
  workers: number;
  /** Slots that hold an attempt, of any kind: a slot takes whatever its worker can. */
  inFlight: number;
  capacity: number;
}

/** Of ready workers: what drains or is away takes nothing. In the order of groups, then of capacity. */
export function fleetLoad(workers: readonly LoadedWorker[]): Load[] {
  const ready = workers.filter((worker) => worker.state === "ready");
  return LOAD_GROUPS.flatMap((group) => {
    const loads = new Map<string | null, Load>();
    for (const worker of ready) {
      for (const key of KEYS[group](worker)) {
        const load = loads.get(key) ?? { group, key, workers: 0, inFlight: 0, capacity: 0 };
        load.workers += 1;
        load.inFlight += worker.used;
        load.capacity += worker.slots;
        loads.set(key, load);
      }
    }
    return [...loads.values()].sort(
      (a, b) => b.capacity - a.capacity || (name(a) < name(b) ? -1 : 1),
    );
  });
}

/** 0 to 100; more where a worker holds more than it offers now. Null without a slot. */
export function loadPercent({ inFlight, capacity }: Pick<Load, "inFlight" | "capacity">) {
  return capacity === 0 ? null : (inFlight / capacity) * 100;
}

const KEYS: Readonly<Record<LoadGroup, (worker: LoadedWorker) => (string | null)[]>> = {
  system: ({ system }) => [system],
  pool: ({ pool }) => [pool],
  kind: ({ runsExec, hasHandlers }) => [
    ...(runsExec ? ["exec"] : []),
    ...(hasHandlers ? ["handler"] : []),
  ],
};

const name = ({ key }: Load) => key ?? "";
