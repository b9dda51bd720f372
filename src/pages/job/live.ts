/** One job's page as a topic: its sections are printed once for all viewers, and sent where they differ. */
import { isFinal } from "../../core/job_state.ts";
import { type Scope, seenOrgs, sightKey } from "../../core/scope.ts";
import type { Explanation } from "../../engine/explain.ts";
import type { FeedEvent } from "../../engine/feed.ts";
import { explainTo } from "../../web/explain_to.ts";
import type { LiveMessage } from "../../web/live/sse.ts";
import type { LiveTopic, TopicRequest } from "../../web/live/topic.ts";
import type { Shell } from "../../web/shell.ts";
import { changesModel } from "./changes_view.ts";
import { type JobPageRows, readJobPage } from "./queries.ts";
import {
  attemptsModel,
  contextsModel,
  headModel,
  type JobPageInput,
  neighboursModel,
  outcomeModel,
  payloadModel,
  phasesModel,
  whyModel,
} from "./view.ts";

/** Id of the section's element → its HTML. */
export type Sections = Record<string, string>;

const SECTIONS = {
  "job-head": ["job/_head", headModel],
  "job-phases": ["job/_phases", phasesModel],
  "job-why": ["job/_why", whyModel],
  "job-outcome": ["job/_outcome", outcomeModel],
  "job-payload": ["job/_payload", payloadModel],
  "job-neighbours": ["job/_neighbours", neighboursModel],
  "job-attempts": ["job/_attempts", attemptsModel],
  "job-changes": ["job/_changes", changesModel],
  "job-contexts": ["job/_contexts", contextsModel],
} as const;

/** Switches may block a job that is not ready, without an event of it. */
const EXPLAINED_MS = 10_000;

export class JobTopic implements LiveTopic {
  readonly #shell: Pick<Shell, "deps" | "renderer">;
  readonly #id: string;
  readonly #attempt: number | null;
  readonly #scope: Scope;
  /** For progress, and for what blocks a job that waits: the world around it changes. */
  readonly tickMs = 2_000;
  #rows: JobPageRows | null = null;
  #explanation = { of: "", value: null as Explanation | null, at: 0 };
  /** Counts what has happened; the rows are of the last that was seen when they were read. */
  #happened = 0;
  #seen = 0;
  #reads = 0;
  /** Something has happened to it, or to what it waits for, since it was explained. */
  #isMoved = true;
  #reading: Promise<unknown> = Promise.resolve();
  #related = new Set<string>();
  #sections: Sections = {};
  /** What viewers were told last. */
  #told: Sections = {};

  constructor(shell: Pick<Shell, "deps" | "renderer">, question: JobQuestion) {
    this.#shell = shell;
    this.#id = question.id;
    this.#attempt = question.attempt;
    this.#scope = question.scope;
  }

  /** As it is now; `rows` is null where there is no such job. */
  async current(): Promise<{ rows: JobPageRows | null; sections: Sections }> {
    if (this.#stale) await this.#read();
    return { rows: this.#rows, sections: this.#sections };
  }

  load(): Promise<string> {
    return this.#read();
  }

  apply(events: readonly FeedEvent[]): void {
    if (this.#isMoved) return;
    this.#isMoved = events.some((event) => event.job === this.#id || this.#related.has(event.job));
    if (this.#isMoved) this.#happened += 1;
  }

  /** Not before a read has ended that began after the last event: until then what is printed is from before it. */
  get #stale(): boolean {
    return this.#seen !== this.#happened;
  }

  isDirty(): boolean {
    return this.#stale || this.#told !== this.#sections;
  }

  forget(): void {}

  async changes(): Promise<LiveMessage[]> {
    if (this.#stale) await this.#read();
    const told = this.#told;
    this.#told = this.#sections;
    return this.#messages((key) => told[key] !== this.#sections[key]);
  }

  async full(): Promise<LiveMessage[]> {
    if (this.#stale) await this.#read();
    return this.#messages(() => true);
  }

  /** A job that lives also changes without events, so its viewers get everything. */
  async missed(events: readonly FeedEvent[]): Promise<LiveMessage[]> {
    this.apply(events);
    const over = this.#rows !== null && isFinal(this.#rows.job.state);
    return over && !this.#stale ? [] : this.full();
  }

  /**
   * Before the next frame, not as a part of it: all pages of jobs look at one moment, and others would wait. What
   * has happened is for the frame to read, and one read at a time is enough.
   */
  async tick(): Promise<void> {
    if (this.#stale || this.#reads > 0) return;
    if (this.#rows && !isFinal(this.#rows.job.state)) await this.#read();
  }

  /** One at a time: an older picture must not take the place of a newer one. */
  #read(): Promise<string> {
    this.#reads += 1;
    const next = this.#reading.then(() => this.#readNow());
    const over = next.catch(() => {
      this.#happened += 1;
      this.#isMoved = true;
    });
    this.#reading = over.then(() => {
      this.#reads -= 1;
    });
    return next;
  }

  async #readNow(): Promise<string> {
    const happened = this.#happened;
    const isMoved = this.#isMoved;
    this.#isMoved = false;
    const { id, rows } = await readJobPage(
      this.#shell.deps.database.reads,
      this.#id,
      seenOrgs(this.#scope),
    );
    this.#rows = rows;
    if (!rows) {
      this.#seen = happened;
      return id;
    }
    this.#related = new Set([...rows.dependencies, ...rows.dependents].map((row) => row.id));
    const explanation = await this.#explain(rows, isMoved);
    const now = this.#shell.deps.engine.now();
    this.#sections = this.#print({ rows, explanation, chosen: this.#attempt, now });
    this.#seen = happened;
    return id;
  }

  /**
   * What was decided never changes; what blocks a job that is ready does, at any time. What blocks one that
   * is not ready yet it hears of by events mostly, its own and those of what it waits for.
   */
  async #explain({ job }: JobPageRows, isMoved: boolean): Promise<Explanation | null> {
    const waits = job.state === "queued" || job.state === "ready";
    const of = `${waits ? job.state : "decided"}/${job.attempt}`;
    const { value: known, at } = this.#explanation;
    const isRecent = !isMoved && performance.now() - at < EXPLAINED_MS && job.state !== "ready";
    const holds = waits ? isRecent : known?.dispatch !== undefined;
    if (of === this.#explanation.of && holds) return known;
    const value = await explainTo(
      this.#shell.deps,
      this.#scope,
      this.#id,
      this.#attempt ?? undefined,
    );
    this.#explanation = { of, value, at: performance.now() };
    return value;
  }

  #print(input: JobPageInput): Sections {
    const { renderer } = this.#shell;
    return Object.fromEntries(
      Object.entries(SECTIONS).map(([key, [template, model]]) => [
        key,
        renderer.fragment(template, model(input)),
      ]),
    );
  }

  #messages(wanted: (key: string) => boolean): LiveMessage[] {
    if (!this.#rows) return [];
    const parts = Object.entries(this.#sections)
      .filter(([key]) => wanted(key))
      .map(([key, html]) => partial(`#${key}`, html));
    const { attempt } = this.#rows.job;
    if (this.#attempt === null && attempt > 0) {
      // Only a page that still shows another attempt's log matches.
      const model = { job: this.#id, attempt, tail: "", size: 0, skipped: "", live: true };
      const log = this.#shell.renderer.fragment("job/_log", model);
      parts.push(partial(`#job-log:not([data-attempt='${attempt}'])`, log, "outerHTML"));
    }
    return parts.length === 0 ? [] : [{ data: parts.join("") }];
  }
}

function partial(target: string, html: string, swap = "outerMorph"): string {
  return `<hx-partial hx-target="${target}" hx-swap="${swap}">${html}</hx-partial>`;
}

export interface JobQuestion {
  id: string;
  /** Null for the latest, whatever it is. */
  attempt: number | null;
  /** What it prints of others' jobs goes by what is seen: equal sights share it. */
  scope: Scope;
}

export function jobTopic(shell: Shell, question: JobQuestion): TopicRequest<JobTopic> {
  const { id, attempt, scope } = question;
  const key = `job/${sightKey(scope)}/${id}?${attempt ?? ""}`;
  return { key, create: () => new JobTopic(shell, question) };
}
