/**
 * The live stream for programs: `GET /api/v1/board/live?topics=…&org=…`, server-sent events with JSON
 * data: `snapshot` first, then `job`, `queue`, `worker`, `counters`, and `resync`, `ping`.
 *
 * A `job` event is one committed phase, in order, with an id to resume from (`Last-Event-ID`).
 * `snapshot` comes again after `resync`, which says that events were missed.
 */
import type { Sql } from "../db/client.ts";
import type { FeedEvent } from "../engine/feed.ts";
import type { Interner } from "../engine/interner.ts";
import { readCounts, readQueues, readWorkers } from "./live_counts.ts";
import { NO_FILTER } from "./live_filter.ts";
import { type LiveHub, LiveRefused } from "./live_hub.ts";
import { PollTopic } from "./live_poll.ts";
import type { LiveRow } from "./live_row.ts";
import { type Entry, LiveTable } from "./live_table.ts";
import type { LiveTopic, TopicRequest } from "./live_topic.ts";
import type { JoinOptions } from "./live_viewer.ts";
import { type LiveMessage, SSE_HEADERS } from "./sse.ts";

export const LIVE_TOPICS = ["jobs", "queues", "workers", "counters"] as const;
export type LiveTopicName = (typeof LIVE_TOPICS)[number];

const LIMITS = { active: 1_000, waiting: 1_000, ended: 0 };
const POLL_MS = 1_000;

export interface LiveJsonDeps {
  live: LiveHub;
  reads: Sql;
  names: Interner;
  now(): number;
}

/** The handler that the API mounts. The caller was authenticated before. */
export function createLiveEvents(deps: LiveJsonDeps): (request: Request) => Promise<Response> {
  return async (request) => {
    const params = new URL(request.url).searchParams;
    const wanted = wantedTopics(params);
    const unknown = wanted.find((topic) => !(LIVE_TOPICS as readonly string[]).includes(topic));
    if (unknown !== undefined) {
      const detail = `There is no topic "${unknown}". Use ${LIVE_TOPICS.join(", ")}.`;
      return problem(422, "Unknown topic", detail);
    }
    const orgName = params.get("org") ?? "";
    const org = orgName === "" ? null : await deps.names.orgId(orgName);
    if (org === undefined)
      return problem(404, "Not found", `There is no organization "${orgName}".`);
    const requests = (wanted as LiveTopicName[]).map((topic) => topicOf(deps, topic, orgName, org));
    const options: JoinOptions = {
      since: request.headers.get("last-event-id") || null,
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

function topicOf(
  deps: LiveJsonDeps,
  topic: LiveTopicName,
  orgName: string,
  org: number | null,
): TopicRequest {
  const key = `json/${topic}/${orgName}`;
  const { reads } = deps;
  switch (topic) {
    case "jobs":
      return { key, create: () => new JobsTopic(deps, orgName) };
    case "counters":
      return {
        key,
        create: () => pollOf("counters", async () => new Map([["", await readCounts(reads, org)]])),
      };
    case "queues":
      return {
        key,
        create: () =>
          pollOf("queue", async () => {
            const queues = await readQueues(reads, org);
            return new Map(queues.map((queue) => [`${queue.org}/${queue.name}`, queue]));
          }),
      };
    case "workers":
      return {
        key,
        create: () =>
          pollOf("worker", async () => {
            const workers = await readWorkers(reads, org);
            return new Map(workers.map((worker) => [worker.id, worker]));
          }),
      };
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
  readonly #org: string;
  #news: FeedEvent[] = [];
  readonly tickMs = 500;

  constructor(deps: LiveJsonDeps, org: string) {
    this.#names = deps.names;
    this.#org = org;
    const filter = { ...NO_FILTER, org };
    const { reads, names, now } = deps;
    this.#table = new LiveTable({ reads, names, filter, limits: LIMITS, now });
  }

  load(): Promise<string> {
    return this.#table.load();
  }

  apply(events: readonly FeedEvent[]): void {
    const own = this.#own(events);
    this.#table.apply(own);
    this.#news.push(...own);
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
    if (this.#org === "") return events;
    return events.filter((event) => this.#names.orgName(event.org) === this.#org);
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
