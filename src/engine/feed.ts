/** Committed phase events in history order, for live streams. */
import type { JobState, Outcome, WaitingFor } from "../core/job_state.ts";

export interface FeedEvent {
  /** Opaque and ordered: what an SSE client sends back as `Last-Event-ID`. */
  id: string;
  at: number;
  org: number;
  queue: number;
  name: number;
  job: string;
  attempt: number;
  from: JobState | null;
  state: JobState;
  waitingFor: WaitingFor | null;
  outcome: Outcome | null;
  reason: string | null;
  worker: number | null;
}

export interface Feed {
  /** The id that everything delivered so far is at or below. */
  position(): string;
  /**
   * Calls `listener` with batches in order, from now on. While nobody listens the feed reads
   * nothing. The returned function ends the subscription.
   *
   * `onGap` is called where the feed was too far behind and went on at the newest event: what was
   * in between is never delivered, so whoever keeps a picture reads it anew. `position` is past the
   * gap already.
   */
  subscribe(listener: (events: FeedEvent[]) => void, onGap?: () => void): () => void;
  /** Events after `id` that are still remembered (about the last 10,000), else null: resync. */
  since(id: string): FeedEvent[] | null;
  /** Resolves once every event committed before this call has been delivered. */
  settled(): Promise<void>;
  /**
   * What was delivered is shown at this time (`performance.now()`), and what follows `everyMs` later, again and
   * again: rounds come just before. A round at any other time would be read for nobody: what it delivers is
   * shown with the next, and is older by then.
   */
  align(shownAt: number, everyMs: number): void;
  /** Since when (ms) the horizon has stood still although events wait, or null. */
  stalledSince(): number | null;
}
