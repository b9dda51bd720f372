/**
 * What eligibility reads, with names resolved, so that a veto can be a sentence. Figures that a
 * worker did not report are null and never count as enough.
 */

export interface ShapeRequirements {
  system?: string | undefined;
  features?: readonly string[] | undefined;
  pool?: string | undefined;
  ram_mb?: number | undefined;
  cpus?: number | undefined;
}

/** What all jobs of a shape ask for (engine rule 21). */
export interface JobFacts {
  org: number;
  orgName: string;
  kind: "exec" | "handler";
  /** The job's name, for handlers only. */
  handler: string | null;
  requirements: ShapeRequirements;
}

/** What a worker said in its hello. It does not change during the connection. */
export interface WorkerFacts {
  name: string;
  /** Null: shared by all organizations. */
  org: number | null;
  orgName: string | null;
  kinds: readonly ("exec" | "handler")[];
  handlers: ReadonlySet<string>;
  system: string | null;
  features: ReadonlySet<string>;
  pool: string;
  ramMb: number | null;
  cpus: number | null;
}

/** What a worker has in hand at this moment. */
export interface WorkerLoad {
  draining: boolean;
  slots: number;
  used: number;
  ramReservedMb: number;
  cpusReserved: number;
}

/** What a queue allows at this moment. Times in epoch milliseconds. */
export interface QueueFacts {
  name: string;
  pausedAt: number | null;
  pausedBy: string | null;
  pauseReason: string | null;
  /** Leases that may be held at once, or null. */
  concurrency: number | null;
  /** Leases held now, on all replicas. */
  held: number;
  /** Starts allowed a period, and what is left of them, or null. */
  rate: { count: number; seconds: number; tokens: number } | null;
  /** Of the job's own value of a tag; null where that has no limit. */
  perKey?: { tag: string; value: string; concurrency: number; held: number } | null;
}

export interface InstanceFacts {
  draining: boolean;
  drainedBy: string | null;
  /** Epoch milliseconds. */
  drainedAt: number | null;
  drainReason?: string | null;
}

/** Where a job stands; times in epoch milliseconds. */
export interface JobSituation {
  /** Null unless the job is queued. */
  waitingFor: "run_at" | "backoff" | "dependencies" | null;
  /** End of the deferral or of the backoff. */
  dueAt: number | null;
  /** Why the last attempt ended, where it backs off. */
  lastError: string | null;
  failures: number;
  maxAttempts: number;
  /** Direct dependencies that have not ended well yet. */
  pendingDependencies: number;
  /** Its id stands below the stop marker of its queue (engine rule 30). */
  stopped: boolean;
  /** A cancel was asked and has not been carried out. */
  cancelRequested: boolean;
}
