/** What the API answers, asked once for all viewers of a kind, and where a picture differs from it. */
import { Client } from "../../src/sdk/client.ts";
import type { PhasesPicture, Picture } from "./pictures.ts";
import { isSampled } from "./sampled.ts";
import type { LiveViewer } from "./viewer.ts";

const LIVE = ["created", "queued", "ready", "dispatched", "running"] as const;

type States = ReadonlyMap<string, string>;

export interface TruthOptions {
  url: string;
  token: string;
  /** All there are. */
  orgs: string[];
  /** Programs must know the jobs submitted since then. */
  since: string;
}

export class Truth {
  readonly #clients: Map<string, Client>;
  readonly #orgs: string[];
  readonly #since: string;
  readonly #asked = new Map<string, Promise<States>>();
  readonly #phases = new Map<string, Promise<string>>();

  constructor({ url, token, orgs, since }: TruthOptions) {
    this.#clients = new Map(orgs.map((org) => [org, new Client({ url, token, org })]));
    this.#orgs = orgs;
    this.#since = since;
  }

  /** Where this viewer's picture is wrong; null where it is not. */
  async against({ kind, picture, resyncs }: LiveViewer): Promise<string | null> {
    const orgs = kind.org === "" ? this.#orgs : [kind.org];
    if (kind.shows === "table") return differs(await this.#live(orgs, kind.queue), picture.states);
    if (kind.shows === "job") return differs(await this.#one(kind.job), picture.states);
    if (resyncs > 0) return "it was told that it missed events";
    return this.#ofPhases(orgs, picture as PhasesPicture);
  }

  async #ofPhases(orgs: string[], picture: PhasesPicture): Promise<string | null> {
    const all = await this.#every(orgs);
    const states = [...picture.states].filter(([job]) => all.has(job));
    const wrong = differs(all, new Map(states));
    if (wrong !== null) return wrong;
    for (const job of all.keys()) {
      if (!isSampled(job)) continue;
      const [told, were] = [picture.phases.get(job)?.join(" "), await this.#phasesOf(job)];
      if (told !== were) return `${job} was told as ${told}, and was ${were}`;
    }
    return null;
  }

  #live(orgs: string[], queue: string): Promise<States> {
    const filter = { state: [...LIVE], ...(queue === "" ? {} : { queue }) };
    return this.#once(`live ${orgs} ${queue}`, () => this.#list(orgs, filter));
  }

  #every(orgs: string[]): Promise<States> {
    return this.#once(`all ${orgs}`, () => this.#list(orgs, { created_after: this.#since }));
  }

  #one(job: string): Promise<States> {
    const ask = async () => new Map([[job, (await this.#any().job(job)).state as string]]);
    return this.#once(job, ask);
  }

  #phasesOf(job: string): Promise<string> {
    const asked =
      this.#phases.get(job) ??
      this.#any()
        .events(job)
        .then((events) => events.map(({ state }) => state).join(" "));
    this.#phases.set(job, asked);
    return asked;
  }

  async #list(orgs: string[], filter: Parameters<Client["jobs"]>[0]): Promise<States> {
    const states = new Map<string, string>();
    for (const org of orgs) {
      const client = this.#clients.get(org)!;
      for await (const job of client.jobs(filter, { pageSize: 1_000 }))
        states.set(job.id, job.state);
    }
    return states;
  }

  #any(): Client {
    return this.#clients.get(this.#orgs[0]!)!;
  }

  #once(question: string, ask: () => Promise<States>): Promise<States> {
    const asked = this.#asked.get(question) ?? ask();
    this.#asked.set(question, asked);
    return asked;
  }
}

function differs(truth: States, picture: Picture["states"]): string | null {
  for (const [job, state] of truth) {
    if (picture.get(job) !== state) return `${job} is ${state}, not ${picture.get(job)}`;
  }
  for (const [job, state] of picture)
    if (!truth.has(job)) return `${job} is not there, not ${state}`;
  return null;
}
