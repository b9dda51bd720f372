/** Workers and pools: who is there, what they do, and sending one home. */
import { z } from "zod";
import { cursorParam, encodeCursor, listOf, NUMBER } from "../cursor.ts";
import { notFound, orgIdOf } from "../lookup.ts";
import { idParams, limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { readPools } from "./pools.ts";
import { readWorkers, workerReader } from "./rows.ts";
import { pool, worker } from "./schemas.ts";

const tag = "Workers";
const LIST_DEFAULT = 200;

const list = route({
  method: "get",
  path: "/orgs/{org}/workers",
  tag,
  summary: "Connected workers that may work for the organization",
  params: z.strictObject({ org: z.string().max(63) }),
  query: z.strictObject({ cursor: cursorParam(NUMBER), limit: limitParam }),
  answers: { 200: { description: "A page of workers", schema: listOf(worker) } },
  handle: async ({ params, query, deps }) => {
    const org = await orgIdOf(deps, params.org);
    const limit = query.limit ?? LIST_DEFAULT;
    const after = Number(query.cursor ?? 0);
    const found = await readWorkers(workerReader(deps), org, { after, limit: limit + 1 });
    const page = found.slice(0, limit);
    return ok({
      items: page.map(({ view }) => view),
      next_cursor: found.length > limit ? encodeCursor(String(page.at(-1)!.number)) : null,
    });
  },
});

const pools = route({
  method: "get",
  path: "/pools",
  tag,
  summary: "Pools, their workers, and what their slots hold",
  answers: { 200: { description: "All pools that have a worker", schema: listOf(pool) } },
  handle: async ({ deps }) => {
    return ok({ items: await readPools(workerReader(deps)), next_cursor: null });
  },
});

const drain = route({
  method: "post",
  path: "/workers/{id}/drain",
  tag,
  summary: "Ask a worker to finish what it holds, take nothing new, and leave",
  params: idParams,
  body: z.strictObject({}),
  bodyOptional: true,
  answers: {
    202: { description: "It was asked", schema: z.object({ draining: z.literal(true) }) },
  },
  handle: async ({ params, caller, deps }) => {
    const asked = await deps.engine.drainWorker(params.id, caller.author);
    if (!asked) throw notFound("connected worker", params.id);
    return { status: 202, body: { draining: true } };
  },
});

export const workerRoutes: readonly Route[] = [list, pools, drain];
