/**
 * What scoring may look at: the job, the worker, the instance. Everything is a figure that the
 * engine has at hand, null where it is unknown; unknown never counts as 0. The dispatcher keeps
 * these objects and changes them in place, so that scoring a pair allocates nothing.
 */

/** What the last attempts of a name used. Means, unless said otherwise; null: never measured. */
export interface NameHistory {
  samples: number;
  /** Nearest-rank 95th percentile; the maximum below 20 samples. MiB. */
  ramP95Mb: number | null;
  ramMaxMb: number | null;
  cpuMs: number | null;
  /** Read and written, mean of the attempts that touched the disk. */
  diskBytes: number | null;
  /** Mbit/s, peak of the host while the attempt ran. */
  networkMbps: number | null;
  runMs: number | null;
  /** Share of attempts that the kernel killed for want of memory, 0 to 1. */
  oomRate?: number | null;
}

export interface ScoringJob {
  id: string;
  org: number;
  queue: number;
  name: number;
  shape: number;
  /** Epoch seconds, see `readyRank`. */
  rank: number;
  /** Epoch milliseconds. */
  readyAt: number;
  priority: number;
  /** Longest weighted path below it, see `longestPathsBelow`. */
  dependents: number;
  /** What it reserves. */
  ramMb?: number | null;
  cpus?: number | null;
  /** Workers that ran its dependencies. */
  inputWorkers: readonly number[];
  history: NameHistory | null;
}

export interface ScoringWorker {
  id: number;
  /** Null: shared by all organizations. */
  org: number | null;
  slots: number;
  used: number;
  ramTotalMb: number | null;
  ramFreeMb: number | null;
  /** Sum of what its jobs reserve. */
  ramReservedMb: number;
  cpus: number | null;
  cpusReserved: number;
  /** Of the host, 0 to 100. */
  cpuPct: number | null;
  /** The fastest it has shown lately, MB/s; see `observedSpeed`. */
  diskMbps: number | null;
  /** The fastest it has shown lately, Mbit/s. */
  networkMbps: number | null;
  /** Names of which it ended an attempt lately. */
  recentNames: ReadonlySet<number>;
}

export interface ScoringInstance {
  workers: number;
  idleWorkers: number;
  pending: number;
  active: number;
  slotsUsed: number;
  slotsOffered: number;
  /** More jobs wait than slots are free: giving one to an organization takes it from another. */
  contended: boolean;
  usedByOrg: ReadonlyMap<number, number>;
  /** Organizations with pending or active work. */
  activeOrgs: number;
  /** What is usual here, see `calibration.ts`. */
  averages: {
    /** Ready to dispatched, seconds. */
    waitSeconds: number | null;
    ramMb: number | null;
    cpuMs: number | null;
    diskBytes: number | null;
    networkMbps: number | null;
  };
}

/**
 * One way to prefer a pair. `score` is pure and returns points, positive for "rather", negative for
 * "rather not", 0 where it has nothing to go by.
 */
export interface Rule {
  name: string;
  /** The most points it usually moves, see `weights.ts`. */
  weight: number;
  /** What it rewards, for a person. */
  help: string;
  formula: string;
  /** Bounds of the score; `null` where it grows without end. */
  min: number | null;
  max: number | null;
  score(job: ScoringJob, worker: ScoringWorker, instance: ScoringInstance, nowMs: number): number;
}
