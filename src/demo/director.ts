/**
 * Keeps the demo alive: sends work in the rhythm of each organization, and now and then does what
 * operators do. Everything goes through the API, as a user's own programs would.
 */
import type { JobInput, WorkflowInput } from "../messages/job_input.ts";
import type { Client } from "../sdk/client.ts";
import { ClientError } from "../sdk/client_error.ts";
import type { Cast, Source } from "./cast/organizations.ts";
import type { Submission } from "./cast/task.ts";
import { Dice } from "./dice.ts";
import { DEMO_DAY_MS, pauseMs, tempoAt } from "./rhythm.ts";

export interface DirectorOptions {
  seed: number;
  casts: readonly Cast[];
  /** A client of each organization. */
  clients: ReadonlyMap<string, Client>;
  /** What happens besides: see `incidents.ts`. */
  incidents: readonly Incident[];
  say(text: string): void;
}

/** Something that happens again and again. */
export interface Incident {
  name: string;
  firstSeconds: number;
  everySeconds: number;
  run(dice: Dice, signal: AbortSignal): Promise<void> | void;
}

/** All sources begin within this time, so that there is something to see at once. */
const OPENING_MS = 6_000;

export class Director {
  readonly #options: DirectorOptions;
  readonly #end = new AbortController();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #startedAt = performance.now();
  #hasComplained = false;

  constructor(options: DirectorOptions) {
    this.#options = options;
  }

  start(): void {
    const { casts, incidents, seed } = this.#options;
    for (const cast of casts) {
      for (const source of cast.sources) this.#open(cast, source);
    }
    for (const incident of incidents) {
      const dice = Dice.of(seed, "incident", incident.name);
      const again = () => this.#happen(incident, dice, again);
      this.#later(incident.firstSeconds * 1000, again);
    }
  }

  stop(): void {
    this.#end.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #open(cast: Cast, source: Source): void {
    const dice = Dice.of(this.#options.seed, cast.name, source.name);
    let run = 0;
    const next = () => {
      void this.#send(source.make(dice, run));
      run += 1;
      const elapsed = performance.now() - this.#startedAt;
      const tempo = tempoAt(elapsed + DEMO_DAY_MS * OPENS_AT, cast.morning, DEMO_DAY_MS);
      this.#later(pauseMs(source.everySeconds, tempo, dice.next()), next);
    };
    this.#later(dice.next() * OPENING_MS, next);
  }

  #happen(incident: Incident, dice: Dice, again: () => void): void {
    const done = async () => incident.run(dice, this.#end.signal);
    done().catch((error) => this.#trouble(error));
    this.#later(incident.everySeconds * 1000 * (0.6 + dice.next() * 0.8), again);
  }

  async #send({ org, workflow, jobs }: Submission): Promise<void> {
    const client = this.#options.clients.get(org)!;
    const options = { signal: this.#end.signal };
    try {
      if (workflow) await client.workflow(dated(workflow), options);
      if (jobs?.length === 1) await client.submit(jobs[0] as JobInput, options);
      else if (jobs) await client.submitMany(jobs, options);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  /** Said once: what goes wrong once goes wrong often. What came too late is nobody's fault. */
  #trouble(error: unknown): void {
    if (this.#end.signal.aborted || this.#hasComplained) return;
    if (error instanceof ClientError && (error.status === 409 || error.status === 404)) return;
    this.#hasComplained = true;
    this.#options.say(`The demo could not go on as it wanted: ${String(error)}`);
  }
}

/** The demo begins where most of its organizations are awake. */
const OPENS_AT = 0.62;

/** Commits were made just now. */
export function dated(workflow: WorkflowInput, ms = Date.now()): WorkflowInput {
  if (!workflow.commit) return workflow;
  const timestamp = new Date(ms - 20_000).toISOString();
  return { ...workflow, commit: { ...workflow.commit, timestamp } };
}
