/** Schedules of an organization: list, make, look at, change, remove. */
import { z } from "zod";
import { readFires } from "../../web/schedules/fires.ts";
import { keyOf, listSchedules, readScheduleDetail } from "../../web/schedules/rows.ts";
import { inOrg } from "../allowed.ts";
import { cursorParam, listOf, pageOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { limitParam, orgParams } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { fire, schedule, scheduleInput, scheduleItem, schedulePatch } from "./schemas.ts";

export const tag = "Schedules";
const LIST_DEFAULT = 100;
const NAME_AND_ID = /^[a-zA-Z0-9._:/-]{1,128} [0-9a-f-]{36}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export const scheduleParams = z.strictObject({
  org: z.string().max(63),
  id: z.uuid().toLowerCase(),
});

const list = route({
  method: "get",
  path: "/orgs/{org}/schedules",
  tag,
  summary: "Schedules by name",
  description: "Without what they submit in full: that is in each one.",
  params: orgParams,
  query: z.strictObject({ cursor: cursorParam(NAME_AND_ID), limit: limitParam }),
  answers: { 200: { description: "A page of schedules", schema: listOf(scheduleItem) } },
  handle: async ({ params, query, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    const limit = query.limit ?? LIST_DEFAULT;
    const found = await listSchedules(deps.database.reads, [org], {
      ...{ after: query.cursor ?? "", limit: limit + 1, now: deps.engine.now() },
    });
    return ok(pageOf(found, limit, keyOf));
  },
});

const create = route({
  method: "post",
  path: "/orgs/{org}/schedules",
  tag,
  summary: "Make a schedule",
  description: "It submits for ever, in its own name: for admins and owners.",
  allow: inOrg("manage"),
  params: orgParams,
  body: scheduleInput,
  answers: { 201: { description: "The schedule", schema: schedule } },
  handle: async ({ params, body, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "manage");
    const { reason, ...input } = body;
    const id = await deps.engine.schedules.create(params.org, input, caller.author, reason);
    return { status: 201, body: await seen(deps, org, id) };
  },
});

const show = route({
  method: "get",
  path: "/orgs/{org}/schedules/{id}",
  tag,
  summary: "One schedule, with what it submits and its last runs",
  params: scheduleParams,
  answers: { 200: { description: "The schedule", schema: schedule } },
  handle: async ({ params, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    return ok(await seen(deps, org, params.id));
  },
});

const fires = route({
  method: "get",
  path: "/orgs/{org}/schedules/{id}/fires",
  tag,
  summary: "What became of its due times, newest first",
  params: scheduleParams,
  query: z.strictObject({ cursor: cursorParam(TIME), limit: limitParam }),
  answers: { 200: { description: "A page of them", schema: listOf(fire) } },
  handle: async ({ params, query, caller, deps }) => {
    await requireSchedule(deps, caller, params, "view");
    const limit = query.limit ?? LIST_DEFAULT;
    const page = { each: limit + 1, before: query.cursor ?? null };
    const found = await readFires(deps.database.reads, [params.id], page);
    return ok(pageOf(found.get(params.id) ?? [], limit, ({ nominal_at }) => nominal_at));
  },
});

const change = route({
  method: "patch",
  path: "/orgs/{org}/schedules/{id}",
  tag,
  summary: "Change a schedule",
  description:
    "What is not named stays. With a new rule or time zone it begins anew: what was due by the old " +
    "one and did not fire is left out. For admins and owners.",
  allow: inOrg("manage"),
  params: scheduleParams,
  body: schedulePatch,
  answers: { 200: { description: "The schedule", schema: schedule } },
  handle: async ({ params, body, caller, deps }) => {
    const org = await requireSchedule(deps, caller, params, "manage");
    const { reason, ...patch } = body;
    await deps.engine.schedules.change(params.id, patch, caller.author, { reason });
    return ok(await seen(deps, org, params.id));
  },
});

const remove = route({
  method: "delete",
  path: "/orgs/{org}/schedules/{id}",
  tag,
  summary: "Remove a schedule",
  description: "What it has submitted goes on. For admins and owners.",
  allow: inOrg("manage"),
  params: scheduleParams,
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: { description: "The schedule as it was", schema: schedule } },
  handle: async ({ params, body, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "manage");
    const was = await seen(deps, org, params.id);
    await deps.engine.schedules.remove(params.id, caller.author, body.reason);
    return ok(was);
  },
});

async function seen(deps: ApiDeps, org: number, id: string) {
  const found = await readScheduleDetail(deps.database.reads, id, [org], deps.engine.now());
  if (found === null) throw notFound("schedule", id);
  return found;
}

/** Its organization's id; 404 where that has no such schedule. */
export async function requireSchedule(
  deps: ApiDeps,
  caller: Caller,
  params: { org: string; id: string },
  ability: "view" | "operate" | "manage",
): Promise<number> {
  const { id: org } = orgOf(deps, caller, params.org, ability);
  const rows = await deps.database.reads`
    select from schedule where id = ${params.id} and org_id = ${org}`;
  if (rows.length === 0) throw notFound("schedule", params.id);
  return org;
}

export const scheduleRoutes: readonly Route[] = [list, create, show, fires, change, remove];
