/** One reason why a job does not go to a worker now. */
export interface Veto {
  rule: VetoRule;
  /** A full sentence with the names and figures that matter. */
  sentence: string;
  /** What would take this veto away, as a sentence for whoever can do it. */
  unblocks: string;
}

/** Every veto there is, in the order in which they are told. */
export const VETO_RULES = [
  "waiting_run_at",
  "waiting_backoff",
  "waiting_dependencies",
  "cancel_requested",
  "instance_draining",
  "queue_paused",
  "queue_stopped",
  "queue_limit",
  "queue_key_limit",
  "queue_rate",
  "organization",
  "kind",
  "handler",
  "system",
  "feature",
  "pool",
  "ram",
  "cpus",
  "worker_draining",
  "rejected_before",
  "no_slot",
  "ram_reserved",
  "cpus_reserved",
] as const;
export type VetoRule = (typeof VETO_RULES)[number];
