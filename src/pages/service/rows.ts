/** What the tables of the job service print. Pure. */
import { count, decimal, duration, minute, plural, shortId, utc } from "../../web/format.ts";
import type { ScheduleItem } from "../../web/schedules/rows.ts";
import type { Pool, PoolWorker } from "../../web/service/pools.ts";
import type { ServiceQueue } from "../../web/service/queues.ts";
import type { SlotView } from "../../web/service/slots.ts";
import { HOME } from "./filter.ts";

/** Whoever waits longer is somebody's trouble. */
export const LATE_SECONDS = 24 * 3_600;

export interface Moment {
  at: number;
  text: string;
  title: string;
}

function moment(time: string): Moment;
function moment(time: string | null): Moment | null;
function moment(time: string | null): Moment | null {
  if (time === null) return null;
  const at = Date.parse(time);
  return { at, text: minute(at), title: utc(at) };
}

/** Rules go by the second at most. */
export function toSecond(time: string): string {
  return utc(Date.parse(time)).replace(/\.\d{3}/, "");
}

/** `operates`: the caller may act on it. */
export function queueRow(queue: ServiceQueue, operates: boolean) {
  const { org, name, pending, running, latency_seconds: latency } = queue;
  return {
    ...{ org, name, operates, item: `${org}/${name}` },
    href: `${HOME}/queue?${new URLSearchParams({ org, queue: name })}`,
    ...{ pending: count(pending), running: count(running) },
    latency: pending > 0 && latency > 0 ? duration(latency * 1_000) : "–",
    isLate: pending > 0 && latency >= LATE_SECONDS,
    paused: moment(queue.paused_at),
    by: queue.paused_by ?? "",
    reason: queue.pause_reason ?? "",
    isStopping: queue.stopping,
    limits: limitWords(queue.limits),
  };
}

export function limitWords(limits: ServiceQueue["limits"]): string[] {
  if (limits === null) return [];
  const { concurrency, rate, per_key: key } = limits;
  return [
    ...(concurrency === null ? [] : [`${count(concurrency)} at once`]),
    ...(rate === null ? [] : [`${count(rate.count)} in ${decimal(rate.seconds, 1)} s`]),
    ...(key === null ? [] : [`${count(key.concurrency)} at once per ${key.tag}`]),
  ];
}

export function scheduleRow(item: ScheduleItem, operates: boolean) {
  const [next, ...later] = item.next_runs;
  return {
    ...{ id: item.id, org: item.org, name: item.name, operates },
    href: `${HOME}/schedules/${item.id}`,
    ...{ vendorType: item.vendor_type ?? "", vendorId: item.vendor_id ?? "" },
    ...{ cron: item.cron, words: item.words, zone: item.time_zone },
    submits: item.submits.name,
    next: moment(item.next_fire_at ?? next ?? null),
    later: later.map((time) => toSecond(time)).join("\n"),
    paused: moment(item.paused_at),
    by: item.paused_by ?? "",
    outcome: item.last_outcome ?? "",
    isBad: ["failed", "refused", "dependency_failed"].includes(item.last_outcome ?? ""),
    last: moment(item.last_fire_at),
    lastHref: item.last_fire?.job ? `/board/jobs/${item.last_fire.job}` : null,
    created: moment(item.created_at),
  };
}

/** `held`: slots with jobs of the organizations that are looked at; the others may hold others' jobs. */
export function workerRow(
  worker: PoolWorker,
  { pool, chosen, held }: { pool: string; chosen: string; held: number },
) {
  const { id, name, org, state, pid, host, slots, used } = worker;
  return {
    ...{ id, name, pool, state, isChosen: id === chosen },
    ...{ org: org ?? "shared", host: host ?? "–", pid: pid === null ? "–" : String(pid) },
    started: moment(worker.started_at),
    heartbeat: moment(worker.heartbeat_at),
    ...{ slots: count(slots), used: count(held), others: used > held ? count(used - held) : "" },
  };
}

export function workersCard(pools: readonly Pool[], held: ReadonlyMap<string, number>) {
  const sum = (of: (pool: Pool) => number) => pools.reduce((n, pool) => n + of(pool), 0);
  const slots = sum((pool) => pool.slots);
  const used = sum((pool) => pool.used);
  const own = [...held.values()].reduce((n, one) => n + one, 0);
  return {
    ...{ used: count(own), slots: count(slots), free: count(Math.max(0, slots - used)) },
    others: used > own ? count(used - own) : "",
    percent: slots === 0 ? 0 : Math.round((100 * own) / slots),
    ...{ isNone: slots === 0, isIdle: own === 0 },
    processes: plural(
      sum((pool) => pool.workers.length),
      "worker",
    ),
  };
}

export function slotRow(worker: string, view: SlotView, operates: (org: string) => boolean) {
  const { slot } = view;
  if (!("job" in view)) {
    const text = view.state === "idle" ? "idle" : "runs a job of another organization";
    return { slot, isBusy: false, text, operates: false, item: "" };
  }
  const { freeing } = view;
  return {
    ...{ slot, isBusy: true, text: "", operates: operates(view.org) },
    item: `${worker}/${slot}/${view.job}`,
    ...{ job: view.job, shortId: shortId(view.job), name: view.name, org: view.org },
    ...{ queue: view.queue, attempt: view.attempt, state: view.state },
    started: moment(view.started_at),
    checkedIn: moment(view.checked_in_at),
    freeing: freeing && {
      steps: [
        { text: "asked", at: moment(freeing.asked_at), isDone: true },
        {
          text: "acknowledged",
          at: moment(freeing.acknowledged_at),
          isDone: freeing.state === "acknowledged",
        },
        { text: "freed", at: null, isDone: false },
      ],
      by: freeing.by ?? "",
      after: freeing.requeue ? "then it goes back in line" : "then it is cancelled",
    },
  };
}

/** The two queues with most jobs, and all others together. */
export function pendingCard(queues: readonly ServiceQueue[]) {
  const sorted = queues.filter(({ pending }) => pending > 0).sort((a, b) => b.pending - a.pending);
  const top = sorted.slice(0, 2);
  const rest = sorted.slice(2);
  const sum = (some: readonly ServiceQueue[]) => some.reduce((n, one) => n + one.pending, 0);
  const orgs = new Set(queues.map(({ org }) => org));
  const label = ({ org, name }: ServiceQueue) => (orgs.size > 1 ? `${org} / ${name}` : name);
  return {
    total: sum(sorted),
    lines: [
      ...top.map((queue) => ({ label: label(queue), value: count(queue.pending) })),
      ...(rest.length > 0
        ? [{ label: plural(rest.length, "other queue"), value: count(sum(rest)) }]
        : []),
    ],
    late: sorted
      .filter(({ latency_seconds: seconds }) => seconds >= LATE_SECONDS)
      .map((queue) => label(queue)),
  };
}
