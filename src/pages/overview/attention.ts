/** What needs somebody's attention now: said in a sentence, with the way to mend it. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, andOfOrgs, type FleetFilter } from "../../db/org_filter.ts";
import { count, duration } from "../../web/format.ts";
import type { QueueCounts } from "../../web/live/counts.ts";

export interface Attention {
  tone: "bad" | "warn";
  sentence: string;
  href: string;
  action: string;
}

export interface AttentionFacts {
  now: number;
  draining: { by: string | null; at: number | null } | null;
  queues: readonly QueueCounts[];
  waiting: readonly { id: string; name: string; queue: string; ms: number }[];
  away: number;
  /** In the last hour, or since a moment a little before it. */
  ended: { succeeded: number; failed: number; time: string };
  /** Since the rollups were last computed, milliseconds. */
  behindMs: number | null;
}

const LONG_WAIT_MS = 10 * 60_000;
const BEHIND_MS = 5 * 60_000;
/** Below this share of good ends, of at least so many. */
const GOOD_SHARE = 0.8;
const ENDED_MIN = 10;
const LISTED_MAX = 8;

/** The most pressing first. Pure. */
export function attentions(facts: AttentionFacts): Attention[] {
  const all: Attention[] = [];
  const { draining, ended, behindMs, away } = facts;
  if (draining) {
    const who = draining.by === null ? "" : ` since ${draining.by} asked for it`;
    all.push({
      tone: "bad",
      sentence: `The server is draining${who}: no job is given to any worker.`,
      ...{ href: "/board/health", action: "System health" },
    });
  }
  const total = ended.succeeded + ended.failed;
  if (total >= ENDED_MIN && ended.succeeded / total < GOOD_SHARE) {
    all.push({
      tone: "bad",
      sentence: `${count(ended.failed)} of ${count(total)} jobs that ended ${ended.time} failed.`,
      ...{ href: "/board/jobs?q=state%3Afailed", action: "Failed jobs" },
    });
  }
  for (const queue of facts.queues) all.push(...pausedQueue(queue));
  for (const { id, name, queue, ms } of facts.waiting) {
    if (ms < LONG_WAIT_MS) continue;
    const sentence = `${name} has been ready for ${duration(ms)} in ${queue}, and no worker took it.`;
    all.push({ tone: "warn", sentence, href: `/board/jobs/${id}#why`, action: "Why?" });
  }
  if (away > 0) {
    const words = away === 1 ? "1 worker has" : `${count(away)} workers have`;
    const sentence = `${words} lost the connection; their jobs are kept until the lease ends.`;
    all.push({ tone: "warn", sentence, href: "/board/workers", action: "Workers" });
  }
  if (behindMs !== null && behindMs > BEHIND_MS) {
    const sentence = `Charts end ${duration(behindMs)} ago: rollups are behind.`;
    all.push({ tone: "warn", sentence, href: "/board/health", action: "System health" });
  }
  return all.slice(0, LISTED_MAX);
}

function pausedQueue({ name, org, paused_at, paused_by, states }: QueueCounts): Attention[] {
  const pending = states.ready + states.queued;
  if (paused_at === null || pending === 0) return [];
  const who = paused_by === null ? "" : ` by ${paused_by}`;
  const sentence = `Queue ${name} of ${org} was paused${who} while ${count(pending)} jobs wait in it.`;
  return [{ tone: "warn", sentence, href: `/board/live?queue=${name}`, action: "Its jobs" }];
}

const SHAPES_MAX = 500;
const OLDEST_MAX = 3;

/** The jobs that are ready the longest: the head of every line, by its index, never a scan. */
export async function readLongestReady(reads: Sql, orgs: OrgFilter) {
  return await reads<{ id: string; name: string; queue: string; ms: number }[]>`
    select l.id, n.name, q.name as queue, extract(epoch from now() - l.ready_at)::float8 * 1000 as ms
    from (select id from shape where true ${andOfOrgs(reads, reads`org_id`, orgs)}
      order by id desc limit ${SHAPES_MAX}) s
    cross join lateral (
      select id, name_id, queue_id, ready_at from live_job
      where shape_id = s.id and ready_rank is not null and state = 'ready'
      order by ready_rank, id limit 1) l
    join job_name n on n.id = l.name_id join queue q on q.id = l.queue_id
    order by l.ready_at limit ${OLDEST_MAX}`;
}

export async function countAway(reads: Sql, fleet: FleetFilter): Promise<number> {
  const [row] = await reads<{ n: number }[]>`
    select count(*)::int as n from worker_connection
    where ended_at is null and dropped_at is not null ${andOfFleet(reads, reads`org_id`, fleet)}`;
  return row!.n;
}

export async function readDraining(reads: Sql): Promise<AttentionFacts["draining"]> {
  const [row] = await reads<{ by: string | null; at: number | null }[]>`
    select changed_by as by, extract(epoch from changed_at)::float8 * 1000 as at
    from setting where key = 'draining' and value = 'true'::jsonb`;
  return row ?? null;
}
