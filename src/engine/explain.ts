/** The answer to "why is this job not running?" and "why did it run there?", as in the contract. */
import type { JobState } from "../core/job_state.ts";

export interface VetoView {
  rule: string;
  /** A full sentence, with the names and figures that matter. */
  sentence: string;
  /** What would let the job go on, as a sentence for the person who can do it. */
  unblocks: string;
}

export interface TermView {
  rule: string;
  contribution: number;
  weight: number;
  help: string;
  formula: string;
}

export interface CandidateView {
  job: string;
  name: string | null;
  score: number;
}

export interface Explanation {
  state: JobState;
  considered_at: string;
  /** 1 is next, among ready jobs of the same shape; with how many stand in that line in all. */
  position?: { ahead: number; place: number; shape_ready: number; capped: boolean };
  /** Vetoes that hold whatever the worker: queue paused, waiting for dependencies, draining. */
  vetoes: VetoView[];
  /** Every worker the caller may see, with what stands against this job there. Empty = fits. */
  workers: { id: string; name: string; vetoes: VetoView[]; score?: number; terms?: TermView[] }[];
  /** How many more are connected, of organizations that the reader does not see. */
  hidden_workers?: number;
  /** For a waiting job: unfinished direct dependencies, first 100. */
  blocked_by?: { id: string; name: string; state: JobState }[];
  dispatch?: {
    attempt: number;
    worker: { id: string; name: string };
    score: number;
    terms: TermView[];
    /** Pairs of a job and a worker that were weighed, whosever; null: not for this reader. */
    considered: number | null;
    candidates: CandidateView[];
    /** How many more were passed over, of organizations that the reader does not see. */
    hidden_candidates?: number;
    contexts: {
      worker: Record<string, unknown> | null;
      job: Record<string, unknown> | null;
      instance: Record<string, unknown> | null;
    };
  };
}

/** As the engine knows it. Told to nobody as it is: `maskExplanation` leaves out what is not theirs. */
export interface FullExplanation extends Explanation {
  /** Organizations of the candidates, by job; a job that is gone is nobody's. */
  whose: ReadonlyMap<string, number>;
}
