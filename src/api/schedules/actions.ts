/** Pause, resume and trigger: of one schedule, of all of an organization, of all. */
import { z } from "zod";
import type { TriggerResult } from "../../engine/schedules/schedules.ts";
import { inOrg, superusersOnly } from "../allowed.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { orgOf } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { ok, type Reply, type Route, route } from "../route.ts";
import { requireSchedule, scheduleParams, tag } from "./routes.ts";
import { triggered } from "./schemas.ts";

const action = z.enum(["pause", "resume"]);
const affected = z.object({ affected: z.int().describe("Those that were not so already") });
const done = { 200: { description: "Done when answered", schema: affected } };
const RESUMED = "Its catch-up policy says what becomes of the due times of the pause.";

const trigger = route({
  method: "post",
  path: "/orgs/{org}/schedules/{id}/trigger",
  tag,
  summary: "Run a schedule now",
  description:
    "One run beside those that are due, also of a paused one. Its overlap policy holds: 409 where that " +
    "leaves the run out.",
  allow: inOrg("operate"),
  params: scheduleParams,
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: { description: "What was submitted, or waits", schema: triggered } },
  handle: async ({ params, body, caller, deps, receipt }) => {
    await requireSchedule(deps, caller, params, "operate");
    const { schedules } = deps.engine;
    return answered(await schedules.trigger(params.id, caller.author, body.reason, receipt));
  },
  fromReceipt: async (receipt) => answered(receipt as TriggerResult),
});

const act = route({
  method: "post",
  path: "/orgs/{org}/schedules/{id}/{action}",
  tag,
  summary: "Pause or resume a schedule",
  description: `A paused one submits nothing; its runs go on. ${RESUMED}`,
  allow: inOrg("operate"),
  params: scheduleParams.extend({ action }),
  body: reasonInput,
  bodyOptional: true,
  answers: done,
  handle: async ({ params, body, caller, deps }) => {
    await requireSchedule(deps, caller, params, "operate");
    const { schedules } = deps.engine;
    const changed = await schedules[params.action](params.id, caller.author, body.reason);
    return ok({ affected: changed ? 1 : 0 });
  },
});

const actOnAll = route({
  method: "post",
  path: "/orgs/{org}/schedules/{action}",
  tag,
  summary: "Pause or resume every schedule of an organization",
  description: "Each by itself, as if one after the other: also those that somebody had paused.",
  allow: inOrg("operate"),
  params: z.strictObject({ org: z.string().max(63), action }),
  body: reasonInput,
  bodyOptional: true,
  answers: done,
  handle: async ({ params, body, caller, deps }) => {
    orgOf(deps, caller, params.org, "operate");
    const { schedules } = deps.engine;
    const { org, action: to } = params;
    return ok({ affected: await schedules.switchAll(org, to, caller.author, body.reason) });
  },
});

const actEverywhere = route({
  method: "post",
  path: "/schedules/{action}",
  tag,
  summary: "Pause or resume every schedule of every organization",
  description: "For superusers.",
  allow: superusersOnly,
  params: z.strictObject({ action }),
  body: reasonInput,
  bodyOptional: true,
  answers: done,
  handle: async ({ params, body, caller, deps }) => {
    const { schedules } = deps.engine;
    const { author } = caller;
    return ok({ affected: await schedules.switchAll(null, params.action, author, body.reason) });
  },
});

function answered(result: TriggerResult): Reply {
  if (!result.ok) throw new ApiProblem("conflict", result.reason);
  const { state, job, workflow } = result.fate;
  const nominal_at = new Date(result.nominal).toISOString();
  return ok({ nominal_at, state, job: job ?? null, workflow: workflow ?? null });
}

export const scheduleActionRoutes: readonly Route[] = [trigger, act, actOnAll, actEverywhere];
