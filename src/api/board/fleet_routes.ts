/** What the pages of workers, the network and the cache show, as JSON. */
import { z } from "zod";
import { seenFleet } from "../../accounts/asked_orgs.ts";
import { fleetLoad, LOAD_GROUPS, loadPercent } from "../../core/fleet_load.ts";
import { askedFleet, askedFleetSize } from "../../web/fleet/asked_fleet.ts";
import { isCacheServed, readCacheSeries } from "../../web/fleet/cache_series.ts";
import { readLiveWorkers } from "../../web/fleet/live_workers.ts";
import { SPEED_METRICS } from "../../web/fleet/speeds.ts";
import { UTILISATION_METRICS } from "../../web/fleet/utilisation.ts";
import { type GaugeTotal, readWorkerTotals } from "../../web/fleet/worker_totals.ts";
import { boundedSpan } from "../../web/metrics/bounded_span.ts";
import { readSeries } from "../../web/metrics/read_series.ts";
import { readWorkers, workerReader } from "../../web/service/workers.ts";
import { cursorParam, listOf, NUMBER, pageOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { time } from "../jobs/schemas.ts";
import { orgOf } from "../lookup.ts";
import { limitParam } from "../query.ts";
import { problemOf } from "../rollups/refused.ts";
import { ok, type Route, route } from "../route.ts";
import { covered, coveredView, iso, spanOf, spanQuery } from "../span.ts";
import { fleetSize, worker } from "../workers/schemas.ts";

const tag = "Board";
const org = z.string().min(1).max(63).optional();
const figure = z.number().nullable();
const LIST_DEFAULT = 200;

/** Whose workers; 404 for an organization that the caller does not see. */
function fleetOf(deps: ApiDeps, caller: Caller, name: string | undefined) {
  if (name !== undefined) orgOf(deps, caller, name, "view");
  return askedFleet(deps.directory, caller.scope, name ?? "");
}

function sourceOf({ database, directory, engine }: ApiDeps) {
  return { reads: database.reads, directory, kept: engine.keeping.retention };
}

/** More coarsely where the caller sees many organizations: see `granularity` of the answer. */
function spanFor(
  { query, caller, deps }: { query: Parameters<typeof spanOf>[0]; caller: Caller; deps: ApiDeps },
  org: string | undefined,
) {
  const range = spanOf(query, deps.engine.now());
  try {
    return boundedSpan(sourceOf(deps), caller.scope, range, { org });
  } catch (error) {
    throw problemOf(error);
  }
}

const workers = route({
  method: "get",
  path: "/board/workers",
  tag,
  summary: "Connected workers that the caller sees, and how many are hidden",
  query: z.strictObject({ org, cursor: cursorParam(NUMBER), limit: limitParam }),
  answers: {
    200: { description: "A page of workers", schema: listOf(worker).extend({ fleet: fleetSize }) },
  },
  handle: async ({ query, caller, deps }) => {
    const fleet = fleetOf(deps, caller, query.org);
    const limit = query.limit ?? LIST_DEFAULT;
    const after = Number(query.cursor ?? 0);
    const [found, size] = await Promise.all([
      readWorkers(workerReader(deps), fleet, { after, limit: limit + 1 }),
      askedFleetSize(deps.database.reads, caller.scope, fleet),
    ]);
    const { items, next_cursor } = pageOf(found, limit, ({ number }) => String(number));
    return ok({ items: items.map(({ view }) => view), next_cursor, fleet: size });
  },
});

const load = z
  .object({
    group: z.enum(LOAD_GROUPS),
    key: z.string().nullable().describe("Null: workers that did not tell"),
    workers: z.int(),
    in_flight: z.int().describe("Slots in use, by whatever kind of job"),
    capacity: z.int().describe("Slots"),
    percent: figure,
  })
  .meta({ id: "FleetLoad" });

const loads = route({
  method: "get",
  path: "/board/workers/load",
  tag,
  summary: "How full the slots of ready workers are, by system, pool and kind of job",
  query: z.strictObject({ org }),
  answers: {
    200: {
      description: "Loads, of each group the largest first",
      schema: listOf(load).extend({ fleet: fleetSize }),
    },
  },
  handle: async ({ query, caller, deps }) => {
    const { reads } = deps.database;
    const fleet = fleetOf(deps, caller, query.org);
    const [live, size] = await Promise.all([
      readLiveWorkers(reads, fleet),
      askedFleetSize(reads, caller.scope, fleet),
    ]);
    const items = fleetLoad(live).map((one) => ({
      ...{ group: one.group, key: one.key, workers: one.workers },
      ...{ in_flight: one.inFlight, capacity: one.capacity, percent: loadPercent(one) },
    }));
    return ok({ items, next_cursor: null, fleet: size });
  },
});

const FLEET = {
  connected: "workers.connected",
  draining: "workers.draining",
  exec: "workers.exec",
  handlers: "workers.handlers",
  slots_offered: "slots.offered",
  slots_used: "slots.used",
} as const;
const FLEET_NAMES = Object.keys(FLEET) as (keyof typeof FLEET)[];

const fleet = route({
  method: "get",
  path: "/board/fleet",
  tag,
  summary: "Connected workers and their slots over time, and how full each worker was",
  query: z.strictObject({ ...spanQuery, org }),
  answers: {
    200: {
      description: "Means of the buckets; null where nobody looked",
      schema: z.object({
        ...covered,
        points: z.array(
          z.object({
            bucket_start: time,
            ...{ connected: figure, draining: figure, exec: figure, handlers: figure },
            ...{ slots_offered: figure, slots_used: figure, complete: z.boolean() },
          }),
        ),
        workers: z.array(
          z.object({ id: z.uuid(), name: z.string(), used_share: figure.describe("0 to 1") }),
        ),
      }),
    },
  },
  handle: async ({ query, caller, deps }) => {
    const asked = fleetOf(deps, caller, query.org);
    const range = spanFor({ query, caller, deps }, query.org);
    const metrics = FLEET_NAMES.map((name) => FLEET[name]);
    const ask = { ...range, metrics, group: { org: query.org } };
    const series = await readSeries(sourceOf(deps), caller.scope, ask);
    const reads = deps.database.reads;
    const totals = await readWorkerTotals(reads, asked, UTILISATION_METRICS, range);
    const points = series[0]!.points.map(({ bucket, isRunning }, at) => ({
      bucket_start: iso(bucket),
      ...Object.fromEntries(FLEET_NAMES.map((name, i) => [name, series[i]!.points[at]!.avg])),
      complete: !isRunning,
    }));
    const shares = totals.map(({ uid, name, of }) => {
      const offered = of.get("slots.offered")?.sum ?? 0;
      const used = of.get("slots.used")?.sum ?? 0;
      return { id: uid, name, used_share: offered > 0 ? used / offered : null };
    });
    return ok({ ...coveredView(range, series[0]!.covered), points, workers: shares });
  },
});

const speed = z.object({ mean: z.number(), peak: z.number() }).nullable();
const total = (one: GaugeTotal | undefined) =>
  one === undefined || one.count === 0 ? null : { mean: one.sum / one.count, peak: one.most };

const network = route({
  method: "get",
  path: "/board/network",
  tag,
  summary: "Egress of the cache, speeds of workers, and for superusers how this server answers",
  query: z.strictObject(spanQuery),
  answers: {
    200: {
      description: "Of the span; `http` of this server since its start",
      schema: z.object({
        ...covered,
        egress: z.array(z.object({ bucket_start: time, bytes: figure, complete: z.boolean() })),
        workers: z.array(
          z.object({
            id: z.uuid(),
            name: z.string(),
            network_mbps: speed.describe("Mbit/s"),
            disk_mbps: speed.describe("MB/s"),
          }),
        ),
        http: z
          .object({
            since: time,
            routes: z.array(
              z.object({
                method: z.string(),
                route: z.string(),
                requests: z.int(),
                ...{ mean_ms: z.number(), p95_ms: z.number() },
                ...{ errors_4xx: z.int(), errors_5xx: z.int() },
              }),
            ),
          })
          .nullable()
          .describe("Null for whoever is no superuser"),
      }),
    },
  },
  handle: async ({ query, caller, deps }) => {
    const range = spanFor({ query, caller, deps }, undefined);
    const ask = { ...range, metrics: ["cache.bytes_sent"], group: {} };
    const [egress] = await readSeries(sourceOf(deps), caller.scope, ask);
    const seen = seenFleet(caller.scope);
    const totals = await readWorkerTotals(deps.database.reads, seen, SPEED_METRICS, range);
    return ok({
      ...coveredView(range, egress!.covered),
      egress: egress!.points.map(({ bucket, sum, isRunning }) => ({
        ...{ bucket_start: iso(bucket), bytes: sum, complete: !isRunning },
      })),
      workers: totals.map(({ uid, name, of }) => ({
        ...{ id: uid, name, network_mbps: total(of.get("worker.network_mbps")) },
        disk_mbps: total(of.get("worker.disk_mbps")),
      })),
      http: caller.scope.isSuperuser ? httpOf(deps) : null,
    });
  },
});

function httpOf({ traffic }: ApiDeps) {
  const routes = traffic.figures().map(({ meanMs, p95Ms, refused, failed, ...named }) => ({
    ...{ ...named, mean_ms: meanMs, p95_ms: p95Ms, errors_4xx: refused, errors_5xx: failed },
  }));
  return { since: iso(traffic.since), routes };
}

const cache = route({
  method: "get",
  path: "/board/cache",
  tag,
  summary: "What the binary cache sent, answered and took in",
  query: z.strictObject({ ...spanQuery, org }),
  answers: {
    200: {
      description: "Of the span",
      schema: z.object({
        ...covered,
        served: z.boolean().describe("False: there is no binary cache yet, and all is 0"),
        totals: z.object({
          ...{ bytes_sent: z.number(), bytes_added: z.number(), requests: z.number() },
        }),
        points: z.array(
          z.object({
            bucket_start: time,
            ...{ bytes_sent: figure, bytes_added: figure, requests: figure },
            complete: z.boolean(),
          }),
        ),
      }),
    },
  },
  handle: async ({ query, caller, deps }) => {
    if (query.org !== undefined) orgOf(deps, caller, query.org, "view");
    const range = spanFor({ query, caller, deps }, query.org);
    const ask = { ...range, group: { org: query.org } };
    const read = await readCacheSeries(sourceOf(deps), caller.scope, ask);
    const { sent, added, requests, totals } = read;
    return ok({
      ...coveredView(range, sent.covered),
      served: isCacheServed(),
      totals: {
        ...{ bytes_sent: totals.sent, bytes_added: totals.added, requests: totals.requests },
      },
      points: sent.points.map(({ bucket, sum, isRunning }, at) => ({
        ...{ bucket_start: iso(bucket), bytes_sent: sum, bytes_added: added.points[at]!.sum },
        ...{ requests: requests.points[at]!.sum, complete: !isRunning },
      })),
    });
  },
});

export const fleetRoutes: readonly Route[] = [workers, loads, fleet, network, cache];
