import type { JobState } from "../../core/job_state.ts";

/** What is asked, with names resolved to ids. */
export interface ListFilter {
  org: number;
  states: readonly JobState[];
  queue: number | null;
  name: number | null;
  workflow: string | null;
  worker: number | null;
  tags: Record<string, string>;
  words: readonly string[];
  /** Epoch milliseconds; a job made at this very time counts as after. */
  createdAfter: number | null;
  createdBefore: number | null;
}
