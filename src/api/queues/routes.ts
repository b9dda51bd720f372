/** Queues: the table, limits, pause and resume. */
import { z } from "zod";
import { readQueues, type ServiceQueue } from "../../web/service/queues.ts";
import { inOrg, superusersOnly } from "../allowed.ts";
import { cursorParam, listOf, pageOf } from "../cursor.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { orgOf, queueIdOf } from "../lookup.ts";
import { limitParam, orgParams } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { queue, queueParams, queuePatch, tag } from "./schemas.ts";
import { stopRoutes } from "./stops.ts";

const LIST_DEFAULT = 1000;
/** By name, for ids would tell how many others there are. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const action = z.enum(["pause", "resume"]);
const PAUSED =
  "From a paused queue nothing is dispatched; what runs, runs on, and new jobs may come.";
const done = {
  200: {
    description: "Done when answered",
    schema: z.object({ affected: z.int().describe("Those that were not so already") }),
  },
};

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
    const after = query.cursor === undefined ? null : { name: query.cursor, org: params.org };
    const found = await readQueues(deps.database.reads, [org], { after, limit: limit + 1 });
    const { items, next_cursor } = pageOf(found, limit, ({ name }) => name);
    return ok({ items: items.map(queueView), next_cursor });
  },
});

const change = route({
  method: "patch",
  path: "/orgs/{org}/queues/{name}",
  tag,
  summary: "Describe a queue, and limit it",
  description: "What is not named stays. A limit holds from the next job that starts on.",
  allow: inOrg("operate"),
  params: queueParams,
  body: queuePatch,
  answers: { 200: { description: "The queue as it is now", schema: queue } },
  handle: async ({ params, body, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "operate");
    const id = await queueIdOf(deps, org, params.name);
    const { reason, ...patch } = body;
    const queue = { org: params.org, queue: params.name };
    await deps.engine.operating.queues.change(queue, patch, caller.author, { reason });
    const [row] = await readQueues(deps.database.reads, [org], { after: null, limit: 1, only: id });
    return ok(queueView(row!));
  },
});

const act = route({
  method: "post",
  path: "/orgs/{org}/queues/{name}/{action}",
  tag,
  summary: "Pause or resume a queue",
  allow: inOrg("operate"),
  description: PAUSED,
  params: queueParams.extend({ action }),
  body: reasonInput,
  bodyOptional: true,
  answers: done,
  handle: async ({ params, body, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "operate");
    await queueIdOf(deps, org, params.name);
    const { engine } = deps;
    const { org: of, name } = params;
    const isChanged = await (params.action === "pause"
      ? engine.pauseQueue(of, name, caller.author, body.reason)
      : engine.resumeQueue(of, name, caller.author, body.reason));
    return ok({ affected: isChanged ? 1 : 0 });
  },
});

const actOnAll = route({
  method: "post",
  path: "/orgs/{org}/queues/{action}",
  tag,
  summary: "Pause or resume every queue of an organization",
  allow: inOrg("operate"),
  description: `${PAUSED} Queues that come later are not paused.`,
  params: orgParams.extend({ action }),
  body: reasonInput,
  bodyOptional: true,
  answers: done,
  handle: async ({ params, body, caller, deps }) => {
    orgOf(deps, caller, params.org, "operate");
    const { queues } = deps.engine.operating;
    const { org, action: to } = params;
    return ok({ affected: await queues.switchAll(org, to, caller.author, body.reason) });
  },
});

const actEverywhere = route({
  method: "post",
  path: "/queues/{action}",
  tag,
  summary: "Pause or resume every queue of every organization",
  description: "For superusers.",
  allow: superusersOnly,
  params: z.strictObject({ action }),
  body: reasonInput,
  bodyOptional: true,
  answers: done,
  handle: async ({ params, body, caller, deps }) => {
    const { author } = caller;
    const { queues } = deps.engine.operating;
    return ok({ affected: await queues.switchAll(null, params.action, author, body.reason) });
  },
});

export const queueRoutes: readonly Route[] = [
  list,
  change,
  ...stopRoutes,
  act,
  actOnAll,
  actEverywhere,
];

function queueView({ id: _, ...view }: ServiceQueue) {
  return view;
}
