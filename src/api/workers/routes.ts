/** Workers and pools: who is there, what they do, and sending one home. */
import { z } from "zod";
import { seenFleet } from "../../accounts/asked_orgs.ts";
import { readFleetSize } from "../../db/fleet.ts";
import { readPools } from "../../web/service/pools.ts";
import { readWorkers, workerReader } from "../../web/service/workers.ts";
import { onWorker } from "../allowed.ts";
import { cursorParam, listOf, NUMBER, pageOf } from "../cursor.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { idParams, limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { fleetSize, pool, worker } from "./schemas.ts";

const tag = "Workers";
const LIST_DEFAULT = 200;

const list = route({
  method: "get",
  path: "/orgs/{org}/workers",
  tag,
  summary: "Connected workers that may work for the organization",
  params: z.strictObject({ org: z.string().max(63) }),
  query: z.strictObject({ cursor: cursorParam(NUMBER), limit: limitParam }),
  answers: {
    200: { description: "A page of workers", schema: listOf(worker).extend({ fleet: fleetSize }) },
  },
  handle: async ({ params, query, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    const asked = { orgs: [org], shared: true };
    const limit = query.limit ?? LIST_DEFAULT;
    const after = Number(query.cursor ?? 0);
    const [found, fleet] = await Promise.all([
      readWorkers(workerReader(deps), asked, { after, limit: limit + 1 }),
      readFleetSize(deps.database.reads, asked, seenFleet(caller.scope)),
    ]);
    const { items, next_cursor } = pageOf(found, limit, ({ number }) => String(number));
    return ok({ items: items.map(({ view }) => view), next_cursor, fleet });
  },
});

const pools = route({
  method: "get",
  path: "/pools",
  tag,
  summary: "Pools, their workers, and what their slots hold",
  answers: {
    200: {
      description: "Pools that have a worker whom the caller sees",
      schema: listOf(pool).extend({ fleet: fleetSize }),
    },
  },
  handle: async ({ caller, deps }) => {
    const seen = seenFleet(caller.scope);
    const [items, fleet] = await Promise.all([
      readPools(workerReader(deps), seen),
      readFleetSize(deps.database.reads, seen, seen),
    ]);
    return ok({ items, next_cursor: null, fleet });
  },
});

const drain = route({
  method: "post",
  path: "/workers/{id}/drain",
  tag,
  allow: onWorker("operate"),
  summary: "Ask a worker to finish what it holds, take nothing new, and leave",
  params: idParams,
  body: reasonInput,
  bodyOptional: true,
  answers: {
    202: { description: "It was asked", schema: z.object({ draining: z.literal(true) }) },
  },
  handle: async ({ params, body, caller, deps }) => {
    const asked = await deps.engine.drainWorker(params.id, caller.author, body.reason);
    if (!asked) throw notFound("connected worker", params.id);
    return { status: 202, body: { draining: true } };
  },
});

export const workerRoutes: readonly Route[] = [list, pools, drain];
