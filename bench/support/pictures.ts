/**
 * What a viewer knows, from what it was sent and nothing else: a table of jobs, one job, or every
 * phase of every job. `said` hears of each state, and when it was received.
 */
import type { WireMessage } from "./sse_wire.ts";

export type Said = (job: string, state: string, at: number) => void;

export interface Picture {
  take(message: WireMessage): void;
  /** State by job, as shown. */
  readonly states: ReadonlyMap<string, string>;
}

const PARTIAL = /<hx-partial hx-target="([^"]+)" hx-swap="([^"]+)">(.*?)<\/hx-partial>/gs;
const ROW =
  /<tr (?:class="job s-(\w+)" )?id="job-([0-9a-f-]{36})"(?: data-sort="[^"]*")?( data-ended| data-gone)?>/g;

interface Row {
  body: string;
  state: string;
  ended: boolean;
}

/** Rows of the live page, changed as `public/js/live_rows.js` changes them. */
export class TablePicture implements Picture {
  readonly #said: Said;
  /** Rows by job; those that have ended stand there a while. */
  readonly #rows = new Map<string, Row>();

  constructor(said: Said) {
    this.#said = said;
  }

  get states(): Map<string, string> {
    return new Map([...this.#rows].map(([job, row]) => [job, row.state]));
  }

  take({ data, at }: WireMessage): void {
    for (const [, target, swap, html] of data.matchAll(PARTIAL)) {
      if (!swap!.startsWith("rows")) continue;
      const kept = new Set<string>();
      for (const [, state, job, mark] of html!.matchAll(ROW)) {
        if (mark === " data-gone") this.#rows.delete(job!);
        else this.#put(job!, { body: target!, state: state!, ended: mark === " data-ended" }, at);
        kept.add(job!);
      }
      if (!swap!.includes("whole:true")) continue;
      for (const [job, row] of this.#rows) {
        if (row.body === target && !kept.has(job)) this.#rows.delete(job);
      }
    }
  }

  #put(job: string, row: Row, at: number): void {
    if (this.#rows.get(job)?.state !== row.state) this.#said(job, row.state, at);
    this.#rows.set(job, row);
  }
}

/** The head of one job's page. */
export class JobPicture implements Picture {
  readonly states = new Map<string, string>();
  readonly #job: string;
  readonly #said: Said;

  constructor(job: string, said: Said) {
    this.#job = job;
    this.#said = said;
  }

  take({ data, at }: WireMessage): void {
    const state = /id="job-head".*?class="state badge s-(\w+)"/s.exec(data)?.[1];
    if (state === undefined) return;
    if (this.states.get(this.#job) !== state) this.#said(this.#job, state, at);
    this.states.set(this.#job, state);
  }
}

/** Within a text of JSON every quote has a stroke before it, so that no name can be taken for a field. */
const PHASE = /"id":"([0-9a-f-]{36})".*?"state":"(\w+)"/;

/** Every phase, from the stream for programs: which it was told, in order and once. */
export class PhasesPicture implements Picture {
  readonly states = new Map<string, string>();
  /** Phases of each job as they were told. */
  readonly phases = new Map<string, string[]>();
  /** It was told that it missed something. */
  resyncs = 0;
  readonly #said: Said;

  constructor(said: Said) {
    this.#said = said;
  }

  take({ event, data, at }: WireMessage): void {
    if (event === "resync") this.resyncs += 1;
    if (event !== "job") return;
    const [, id, state] = PHASE.exec(data)!;
    this.states.set(id!, state!);
    const told = this.phases.get(id!);
    if (told) told.push(state!);
    else this.phases.set(id!, [state!]);
    this.#said(id!, state!, at);
  }
}
