/** Queues: the table, pause and resume. */
import { z } from "zod";
import { inOrg } from "../allowed.ts";
import { cursorParam, listOf, pageOf } from "../cursor.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { orgOf, queueIdOf } from "../lookup.ts";
import { limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { readQueues } from "./rows.ts";
import { queue } from "./schemas.ts";

const tag = "Queues";
const LIST_DEFAULT = 1000;
/** By name, for ids would tell how many others there are. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const orgParams = z.strictObject({ org: z.string().max(63) });

const list = route({
  method: "get",
  path: "/orgs/{org}/queues",
  tag,
  summary: "Queues with their counts",
  params: orgParams,
  query: z.strictObject({ cursor: cursorParam(NAME), limit: limitParam }),
  answers: { 200: { description: "A page of queues", schema: listOf(queue) } },
  handle: async ({ params, query, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    const limit = query.limit ?? LIST_DEFAULT;
    const found = await readQueues(deps.database.reads, org, {
      after: query.cursor ?? "",
      limit: limit + 1,
    });
    const { items, next_cursor } = pageOf(found, limit, ({ name }) => name);
    return ok({ items: items.map(({ id: _, ...item }) => item), next_cursor });
  },
});

const act = route({
  method: "post",
  path: "/orgs/{org}/queues/{name}/{action}",
  tag,
  summary: "Pause or resume a queue",
  allow: inOrg("operate"),
  description: "From a paused queue nothing is dispatched; what runs, runs on.",
  params: z.strictObject({
    org: z.string().max(63),
    name: z.string().max(63),
    action: z.enum(["pause", "resume"]),
  }),
  body: reasonInput,
  bodyOptional: true,
  answers: {
    200: {
      description: "Done when answered",
      schema: z.object({ affected: z.int().describe("1: it changed; 0: it was so already") }),
    },
  },
  handle: async ({ params, body, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "operate");
    const id = await queueIdOf(deps, org, params.name);
    const [row] = await deps.database.reads`
      select paused_at is not null as paused from queue where id = ${id}`;
    const wanted = params.action === "pause";
    const { engine } = deps;
    if (wanted) await engine.pauseQueue(params.org, params.name, caller.author, body.reason);
    else await engine.resumeQueue(params.org, params.name, caller.author, body.reason);
    return ok({ affected: row?.paused === wanted ? 0 : 1 });
  },
});

export const queueRoutes: readonly Route[] = [list, act];
