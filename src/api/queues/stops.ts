/** Stop of queues: of one, of all of an organization, of all. */
import type { z } from "zod";
import type { QueueAsk } from "../../engine/operator/queue_names.ts";
import type { Stopped, StopReceipt } from "../../engine/operator/queue_stops.ts";
import { inOrg, superusersOnly } from "../allowed.ts";
import type { ApiDeps } from "../deps.ts";
import { orgOf, queueIdOf } from "../lookup.ts";
import { orgParams } from "../query.ts";
import { type Reply, type Route, type RouteInput, route } from "../route.ts";
import { queueParams, stopAnswer, stopInput, stopOfOrgInput, tag } from "./schemas.ts";

const STOPS =
  "What waits ends as cancelled, workflows with it; what runs, runs on, and what is submitted later is left " +
  "alone. Nothing of it is dispatched once this has answered. For `delay_seconds` (10) " +
  "`POST /operations/{id}/undo` calls it off whole; then it goes on in the background, and " +
  "`GET /operations/{id}` shows how far it is. Whether the queue is paused stays as it is.";

const answers = {
  202: { description: "Begun", schema: stopAnswer },
  200: { description: "Nothing waited, or it was only counted", schema: stopAnswer },
};

const one = route({
  method: "post",
  path: "/orgs/{org}/queues/{name}/stop",
  tag,
  summary: "Stop a queue: end all that waits in it",
  description: STOPS,
  allow: inOrg("operate"),
  params: queueParams,
  body: stopInput,
  bodyOptional: true,
  answers,
  handle: async ({ params, body, caller, deps, receipt }) => {
    const { id: org } = orgOf(deps, caller, params.org, "operate");
    await queueIdOf(deps, org, params.name);
    const queues = [{ org: params.org, queue: params.name }];
    return stop({ deps, caller, body, receipt }, { queues });
  },
  fromReceipt,
});

const ofOrg = route({
  method: "post",
  path: "/orgs/{org}/queues/stop",
  tag,
  summary: "Stop every queue of an organization, or those that `queues` names",
  description: `As one operation. ${STOPS}`,
  allow: inOrg("operate"),
  params: orgParams,
  body: stopOfOrgInput,
  bodyOptional: true,
  answers,
  handle: async ({ params, body, caller, deps, receipt }) => {
    const { id } = orgOf(deps, caller, params.org, "operate");
    const { org } = params;
    for (const name of body.queues ?? []) await queueIdOf(deps, id, name);
    const named = body.queues?.map((queue) => ({ org, queue }));
    const ask = named ? { queues: named } : { org, queues: null };
    return stop({ deps, caller, body, receipt }, ask);
  },
  fromReceipt,
});

const everywhere = route({
  method: "post",
  path: "/queues/stop",
  tag,
  summary: "Stop every queue of every organization",
  description: `For superusers, as one operation. ${STOPS}`,
  allow: superusersOnly,
  body: stopInput,
  bodyOptional: true,
  answers,
  handle: (asked) => stop(asked, { org: null, queues: null }),
  fromReceipt,
});

type Asked = Pick<
  RouteInput<object, object, z.infer<typeof stopInput>>,
  "deps" | "caller" | "body" | "receipt"
>;

async function stop({ deps, caller, body, receipt }: Asked, ask: QueueAsk): Promise<Reply> {
  const { stops } = deps.engine.operating;
  const { dry_run, reason, delay_seconds: delaySeconds } = body;
  if (dry_run) return answered({ operation: null, ...(await stops.preview(ask)) });
  return answered(await stops.begin(ask, { reason, delaySeconds }, caller.author, receipt));
}

/** A stop that was begun twice would end what was submitted in between. */
async function fromReceipt(receipt: unknown, { deps }: { deps: ApiDeps }): Promise<Reply> {
  return answered(await deps.engine.operating.stops.again(receipt as StopReceipt));
}

function answered(body: Stopped): Reply {
  return { status: body.operation === null ? 200 : 202, body };
}

export const stopRoutes: readonly Route[] = [one, ofOrg, everywhere];
