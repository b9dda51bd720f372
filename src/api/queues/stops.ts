/** Stop of queues: of one, of all of an organization, of all. */
import type { z } from "zod";
import { inOrg, superusersOnly } from "../allowed.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { orgOf, queueIdOf } from "../lookup.ts";
import { orgParams } from "../query.ts";
import type { Reply, Route } from "../route.ts";
import { route } from "../route.ts";
import { queueParams, stopAnswer, stopInput, tag } from "./schemas.ts";

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
  handle: async ({ params, body, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "operate");
    await queueIdOf(deps, org, params.name);
    return stop(deps, caller, { org: params.org, queue: params.name }, body);
  },
});

const ofOrg = route({
  method: "post",
  path: "/orgs/{org}/queues/stop",
  tag,
  summary: "Stop every queue of an organization",
  description: STOPS,
  allow: inOrg("operate"),
  params: orgParams,
  body: stopInput,
  bodyOptional: true,
  answers,
  handle: async ({ params, body, caller, deps }) => {
    orgOf(deps, caller, params.org, "operate");
    return stop(deps, caller, { org: params.org, queue: null }, body);
  },
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
  handle: ({ body, caller, deps }) => stop(deps, caller, { org: null, queue: null }, body),
});

async function stop(
  { engine }: ApiDeps,
  { author }: Caller,
  ask: { org: string | null; queue: string | null },
  { dry_run, reason, delay_seconds: delaySeconds }: z.infer<typeof stopInput>,
): Promise<Reply> {
  if (dry_run) {
    return {
      status: 200,
      body: { operation: null, ...(await engine.operating.stops.preview(ask)) },
    };
  }
  const stopped = await engine.operating.stops.begin(ask, { reason, delaySeconds }, author);
  return { status: stopped.operation === null ? 200 : 202, body: stopped };
}

export const stopRoutes: readonly Route[] = [one, ofOrg, everywhere];
