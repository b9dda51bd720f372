/** The live page's panels: the rows of one filter, and the counts above them. */
import { askedOrgs, seenFleet } from "../../accounts/asked_orgs.ts";
import { orgsKey } from "../../core/org_filter.ts";
import { type OrgFilter, type Scope, seenOrgs } from "../../core/scope.ts";
import { fleetKey } from "../../db/org_filter.ts";
import type { FeedEvent } from "../../engine/feed.ts";
import { countsOf, type StateCounts } from "../../web/live/counts.ts";
import { filterQuery, isFiltered, type LiveFilter, parseFilter } from "../../web/live/filter.ts";
import { type ConnectedWorker, liveFleetSize, liveWorkers } from "../../web/live/fleet.ts";
import { PollTopic } from "../../web/live/poll.ts";
import type { LiveMessage } from "../../web/live/sse.ts";
import { type Entry, LiveTable } from "../../web/live/table.ts";
import type { LiveTopic, TopicRequest } from "../../web/live/topic.ts";
import type { Renderer } from "../../web/render.ts";
import type { BoardDeps, Panels, Shell } from "../../web/shell.ts";
import { partSentence, rowModel } from "./view.ts";

/** At 1,000 jobs a second, which nobody can read, each viewer was sent 800 KiB a second. */
const NEWCOMERS = { perSecond: 10, burst: 60 };
const LIMITS = { active: 200, waiting: 100, ended: 40, newcomers: NEWCOMERS };

export class RowsTopic implements LiveTopic {
  readonly #table: LiveTable;
  readonly #deps: BoardDeps;
  readonly #renderer: Renderer;
  readonly #filtered: boolean;
  readonly tickMs = 500;
  #sentence = "";

  constructor(shell: Pick<Shell, "deps" | "renderer">, filter: LiveFilter, orgs: OrgFilter) {
    this.#deps = shell.deps;
    this.#renderer = shell.renderer;
    this.#filtered = isFiltered(filter);
    const { database, engine } = shell.deps;
    this.#table = new LiveTable({
      reads: database.reads,
      names: engine.names,
      filter,
      orgs,
      limits: LIMITS,
      now: () => engine.now(),
    });
  }

  load(): Promise<string> {
    return this.#table.load();
  }

  apply(events: readonly FeedEvent[]): void {
    this.#table.apply(events);
  }

  /** Also where only what it says of itself has changed. */
  isDirty(): boolean {
    return this.#table.isDirty() || this.#partSentence() !== this.#sentence;
  }

  forget(): void {
    this.#table.forget();
  }

  tick(): Promise<void> {
    return this.#table.tick();
  }

  async changes(): Promise<LiveMessage[]> {
    return this.#mend(await this.#table.takeChanges());
  }

  /** Also rows leave without an event, and only the whole tells which of those that a page has are gone. */
  missed(): Promise<LiveMessage[]> {
    return this.full();
  }

  /** Takes the place of all rows that the page has. */
  async full(): Promise<LiveMessage[]> {
    const rows = await this.rows();
    const data =
      `<hx-partial hx-target="#rows-active" hx-swap="rows whole:true">${rows.active}</hx-partial>` +
      `<hx-partial hx-target="#rows-waiting" hx-swap="rows whole:true">${rows.waiting}</hx-partial>` +
      this.#part(rows.sentence);
    return [{ data }];
  }

  /** Printed rows for the first paint. */
  async rows(): Promise<{ active: string; waiting: string; sentence: string }> {
    const { active, waiting } = await this.#table.all();
    const print = (entries: Entry[]) => entries.map((entry) => this.#print(entry)).join("");
    const sentence = this.#partSentence();
    return { active: print(active), waiting: print(waiting), sentence };
  }

  async #mend(news: { changed: Entry[]; gone: string[] }): Promise<LiveMessage[]> {
    const of = (home: string) => news.changed.filter((entry) => entry.home === home);
    const print = (entries: Entry[]) => entries.map((entry) => this.#print(entry)).join("");
    const gone = news.gone.map((id) => `<tr id="job-${id}" data-gone></tr>`).join("");
    const sentence = this.#partSentence();
    const told = sentence === this.#sentence ? "" : this.#part(sentence);
    this.#sentence = sentence;
    const data =
      partial("#rows-active", print(of("active")) + gone) +
      partial("#rows-waiting", print(of("waiting"))) +
      told;
    return data === "" ? [] : [{ data }];
  }

  #partSentence(): string {
    return partSentence(this.#table.shown, this.#table.more, this.#filtered);
  }

  #part(sentence: string): string {
    return replace("#live-part", this.#renderer.fragment("live/_part", { sentence }));
  }

  #print(entry: Entry): string {
    const { engine } = this.#deps;
    return this.#renderer.fragment("live/_row", rowModel(entry, engine.names, engine.now()));
  }
}

function partial(target: string, rows: string): string {
  return rows === "" ? "" : `<hx-partial hx-target="${target}" hx-swap="rows">${rows}</hx-partial>`;
}

function replace(target: string, html: string): string {
  return `<hx-partial hx-target="${target}" hx-swap="outerHTML">${html}</hx-partial>`;
}

export function rowsTopic(shell: Shell, filter: LiveFilter, scope: Scope): TopicRequest<RowsTopic> {
  const orgs = askedOrgs(shell.deps.directory, seenOrgs(scope), filter.org);
  const key = `live/rows/${orgsKey(orgs)}?${filterQuery(filter)}`;
  return { key, create: () => new RowsTopic(shell, filter, orgs) };
}

// Counts

export interface Fleet {
  workers: number;
  slots: number;
  used: number;
  draining: number;
  /** Of organizations that are not seen: how many workers, and with them how many there are. */
  hidden: number;
  total: number;
}

export class CountsTopic extends PollTopic {
  get counts(): StateCounts {
    return this.items.get("states") as StateCounts;
  }

  get fleet(): Fleet {
    return this.items.get("fleet") as Fleet;
  }
}

export function countsTopic(
  shell: Shell,
  orgName: string,
  scope: Scope,
): TopicRequest<CountsTopic> {
  const { database, directory } = shell.deps;
  const seen = seenFleet(scope);
  const orgs = askedOrgs(directory, seen.orgs, orgName);
  const fleet = { orgs, shared: seen.shared };
  const print = (items: ReadonlyMap<string, object | null>): LiveMessage[] => {
    const parts: string[] = [];
    const states = items.get("states");
    if (states) parts.push(shell.renderer.fragment("live/_states", states));
    const fleet = items.get("fleet");
    if (fleet) parts.push(replace("#fleet", shell.renderer.fragment("live/_fleet", fleet)));
    return parts.length === 0 ? [] : [{ data: parts.join("") }];
  };
  const create = () =>
    new CountsTopic({
      everyMs: 1_000,
      read: async () => {
        const { reads } = database;
        // Asked in one turn, they are shared with everybody else who looks now.
        const [states, workers, size] = await Promise.all([
          countsOf(reads, orgs),
          liveWorkers(reads, fleet),
          liveFleetSize(reads, fleet, seen),
        ]);
        return new Map<string, object>([
          ["states", states],
          ["fleet", fleetOf(workers, size.workers.hidden)],
        ]);
      },
      print,
      printAll: print,
    });
  return { key: `live/counts/${fleetKey(fleet)}/${fleetKey(seen)}`, create };
}

function fleetOf(workers: readonly ConnectedWorker[], hidden: number): Fleet {
  const here = workers.filter((worker) => worker.state !== "away");
  const sum = (pick: (worker: ConnectedWorker) => number) =>
    here.reduce((total, worker) => total + pick(worker), 0);
  return {
    workers: here.length,
    slots: sum((worker) => worker.slots),
    used: sum((worker) => worker.used),
    draining: here.filter((worker) => worker.state === "draining").length,
    hidden,
    total: here.length + hidden,
  };
}

export function livePanels(shell: Shell): Panels {
  return {
    live: (params, scope) => rowsTopic(shell, parseFilter(params), scope),
    counts: (params, scope) => countsTopic(shell, parseFilter(params).org, scope),
  };
}
