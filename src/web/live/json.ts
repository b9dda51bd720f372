/**
 * The live stream for programs: `GET /api/v1/board/live?topics=…&org=…`, server-sent events with JSON
 * data: `snapshot` first, then `job`, `queue`, `worker`, `fleet`, `counters`, and `resync`, `ping`.
 *
 * A `job` event is one committed phase, in order, with an id to resume from (`Last-Event-ID`).
 * `snapshot` comes again after `resync`, which says that events were missed.
 */
import { askedOrgs, seenFleet } from "../../accounts/asked_orgs.ts";
import type { Caller } from "../../accounts/caller.ts";
import type { Directory } from "../../accounts/directory.ts";
import { covers, orgsKey } from "../../core/org_filter.ts";
import { countedOrgs, type OrgFilter, type Scope } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { type FleetFilter, fleetKey } from "../../db/org_filter.ts";
import type { FeedEvent } from "../../engine/feed.ts";
import type { Interner } from "../../engine/interner.ts";
import { countsOf, readQueues } from "./counts.ts";
import { NO_FILTER } from "./filter.ts";
import { liveFleetSize, liveWorkers } from "./fleet.ts";
import { type LiveHub, LiveRefused } from "./hub.ts";
import { PollTopic } from "./poll.ts";
import type { LiveRow } from "./row.ts";
import { type LiveMessage, SSE_HEADERS } from "./sse.ts";
import { type Entry, LiveTable } from "./table.ts";
import type { LiveTopic, TopicRequest } from "./topic.ts";
import type { JoinOptions } from "./viewer.ts";

export const LIVE_TOPICS = ["jobs", "queues", "workers", "counters"] as const;
export type LiveTopicName = (typeof LIVE_TOPICS)[number];

const LIMITS = { active: 1_000, waiting: 1_000, ended: 0 };
const POLL_MS = 1_000;

export interface LiveJsonDeps {
  live: LiveHub;
  reads: Sql;
  names: Interner;
  directory: Directory;
  now(): number;
}

/** The handler that the API mounts. The caller was authenticated before. */
export function createLiveEvents(
  deps: LiveJsonDeps,
): (request: Request, caller: Caller) => Promise<Response> {
  return async (request, caller) => {
    const params = new URL(request.url).searchParams;
    const wanted = wantedTopics(params);
    const unknown = wanted.find((topic) => !(LIVE_TOPICS as readonly string[]).includes(topic));
    if (unknown !== undefined) {
      const detail = `There is no topic "${unknown}". Use ${LIVE_TOPICS.join(", ")}.`;
      return problem(422, "Unknown topic", detail);
    }
    const question = questionOf(deps, caller.scope, params.get("org") ?? "");
    const requests = (wanted as LiveTopicName[]).map((topic) => topicOf(deps, topic, question));
    const options: JoinOptions = {
      since: request.headers.get("last-event-id") || null,
      wasCut: true,
      withoutPositions: !caller.scope.isSignedIn,
      now: deps.now,
      snapshot: (parts, id) => {
        const fields = requests.map((r, i) => `"${wanted[i]}":${parts.get(r.key) ?? "null"}`);
        return `{"id":${JSON.stringify(id)},${fields.join(",")}}`;
      },
    };
    try {
      return new Response(deps.live.stream(requests, options), { headers: SSE_HEADERS });
    } catch (error) {
      if (error instanceof LiveRefused) return problem(503, "Not now", error.message);
      throw error;
    }
  };
}

/** Strangers are told counts of public organizations, and nothing of any one thing. */
export function isForStrangers(url: URL): boolean {
  return wantedTopics(url.searchParams).every((topic) => topic === "counters");
}

/** What is asked, by organizations: equal questions share one topic, whoever asks. */
interface Question {
  rows: OrgFilter;
  counts: OrgFilter;
  fleet: FleetFilter;
  /** What of the fleet is not hidden, asked for or not. */
  seen: FleetFilter;
}

function questionOf({ directory }: LiveJsonDeps, scope: Scope, org: string): Question {
  const seen = seenFleet(scope);
  const rows = askedOrgs(directory, seen.orgs, org);
  const counts = askedOrgs(directory, countedOrgs(scope), org);
  return { rows, counts, fleet: { orgs: rows, shared: seen.shared }, seen };
}

function wantedTopics(params: URLSearchParams): string[] {
  const names = params.getAll("topics").flatMap((list) => list.split(","));
  const wanted = [...new Set(names.map((name) => name.trim()).filter((name) => name !== ""))];
  return wanted.length > 0 ? wanted : [...LIVE_TOPICS];
}

function problem(status: number, title: string, detail: string): Response {
  return new Response(JSON.stringify({ type: "about:blank", title, status, detail }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}

function topicOf(deps: LiveJsonDeps, topic: LiveTopicName, question: Question): TopicRequest {
  const { reads } = deps;
  const { rows, counts, fleet, seen } = question;
  switch (topic) {
    case "jobs":
      return { key: `json/jobs/${orgsKey(rows)}`, create: () => new JobsTopic(deps, rows) };
    case "counters":
      return {
        key: `json/counters/${orgsKey(counts)}`,
        create: () =>
          pollOf("counters", async () => new Map([["", await countsOf(reads, counts)]])),
      };
    case "queues":
      return {
        key: `json/queues/${orgsKey(rows)}`,
        create: () =>
          pollOf("queue", async () => {
            const queues = await readQueues(reads, rows);
            return new Map(queues.map((queue) => [`${queue.org}/${queue.name}`, queue]));
          }),
      };
    case "workers":
      return {
        key: `json/workers/${fleetKey(fleet)}/${fleetKey(seen)}`,
        create: () => new WorkersTopic(() => readFleet(reads, fleet, seen)),
      };
  }
}

async function readFleet(reads: Sql, asked: FleetFilter, seen: FleetFilter) {
  const [workers, size] = await Promise.all([
    liveWorkers(reads, asked),
    liveFleetSize(reads, asked, seen),
  ]);
  return new Map<string, object>([[FLEET, size], ...workers.map((w) => [w.id, w] as const)]);
}

/** Beside the workers, which have uuids: how many there are, and how many of them are hidden. */
const FLEET = "fleet";

class WorkersTopic extends PollTopic {
  constructor(read: () => Promise<Map<string, object>>) {
    super({
      everyMs: POLL_MS,
      read,
      print: (changed) =>
        [...changed].map(([key, item]) => ({
          event: key === FLEET ? "fleet" : "worker",
          data: JSON.stringify(item ?? { key, gone: true }),
        })),
      printAll: (all) => {
        const { [FLEET]: fleet, ...items } = Object.fromEntries(all);
        return [{ data: JSON.stringify({ items: Object.values(items), fleet }) }];
      },
    });
  }
}

/** Items that are gone are told by their key alone. */
function pollOf(event: string, read: () => Promise<Map<string, object>>): PollTopic {
  return new PollTopic({
    everyMs: POLL_MS,
    read,
    print: (changed) =>
      [...changed].map(([key, item]) => ({
        event,
        data: JSON.stringify(item ?? { key, gone: true }),
      })),
    printAll: (items) => {
      const list = [...items.values()];
      return [{ data: JSON.stringify(event === "counters" ? list[0] : { items: list }) }];
    },
  });
}

/** Every phase of every job of the scope, and a bounded picture of the live ones to start from. */
class JobsTopic implements LiveTopic {
  readonly #table: LiveTable;
  readonly #names: Interner;
  readonly #orgs: OrgFilter;
  #news: FeedEvent[] = [];
  readonly tickMs = 500;

  constructor(deps: LiveJsonDeps, orgs: OrgFilter) {
    this.#names = deps.names;
    this.#orgs = orgs;
    const { reads, names, now } = deps;
    this.#table = new LiveTable({ reads, names, filter: NO_FILTER, orgs, limits: LIMITS, now });
  }

  load(): Promise<string> {
    return this.#table.load();
  }

  apply(events: readonly FeedEvent[]): void {
    const own = this.#own(events);
    this.#table.apply(own);
    this.#news.push(...own);
  }

  held(events: readonly FeedEvent[]): void {
    this.#news.push(...this.#own(events));
  }

  isDirty(): boolean {
    return this.#news.length > 0;
  }

  async changes(): Promise<LiveMessage[]> {
    const news = this.#news;
    this.#news = [];
    this.#table.forget();
    return news.map((event) => this.#print(event));
  }

  async full(): Promise<LiveMessage[]> {
    const { active, waiting } = await this.#table.all();
    const { more } = this.#table;
    const truncated = { active: more.active, waiting: more.waiting };
    const items = [...active, ...waiting].map((entry) => this.#printEntry(entry));
    return [{ data: JSON.stringify({ items, truncated }) }];
  }

  async missed(events: readonly FeedEvent[]): Promise<LiveMessage[]> {
    return this.#own(events).map((event) => this.#print(event));
  }

  tick(): Promise<void> {
    return this.#table.tick();
  }

  forget(): void {
    this.#news = [];
    this.#table.forget();
  }

  #own(events: readonly FeedEvent[]): readonly FeedEvent[] {
    return events.filter((event) => covers(this.#orgs, event.org));
  }

  #print(event: FeedEvent): LiveMessage {
    return {
      event: "job",
      id: event.id,
      data: JSON.stringify({
        id: event.job,
        name: this.#names.jobName(event.name),
        org: this.#names.orgName(event.org),
        queue: this.#names.queueName(event.queue),
        from: event.from,
        state: event.state,
        waiting_for: event.waitingFor,
        attempt: event.attempt,
        outcome: event.outcome,
        reason: event.reason,
        worker: this.#worker(event.worker),
        at: new Date(event.at).toISOString(),
      }),
    };
  }

  #printEntry({ row }: Entry): object {
    return {
      id: row.id,
      name: this.#names.jobName(row.name),
      org: this.#names.orgName(row.org),
      queue: this.#names.queueName(row.queue),
      state: row.state,
      waiting_for: row.waitingFor,
      attempt: row.attempt,
      worker: this.#worker(row.worker),
      priority: row.details?.priority ?? null,
      score: row.details?.score ?? null,
      progress: row.details?.progress ?? null,
      at: new Date(row.since).toISOString(),
      ...printTimes(row),
    };
  }

  #worker(id: number | null): { id: string; name: string } | null {
    if (id === null) return null;
    return { id: this.#names.workerUid(id), name: this.#names.workerName(id) };
  }
}

function printTimes(row: LiveRow): object {
  const print = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    queued_at: print(row.times.queuedAt),
    ready_at: print(row.times.readyAt),
    dispatched_at: print(row.times.dispatchedAt),
    started_at: print(row.times.startedAt),
  };
}
