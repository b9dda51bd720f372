/** Slots of workers: what they hold, and freeing them. */
import { z } from "zod";
import { seenFleet } from "../../accounts/asked_orgs.ts";
import { orgsThatMay } from "../../core/scope.ts";
import { readSlots } from "../../web/service/slots.ts";
import { inOrg, onSlot, superusersOnly } from "../allowed.ts";
import { cursorParam, listOf, NUMBER, pageOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { idParams, limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { slot } from "./schemas.ts";

const tag = "Workers";
const LIST_DEFAULT = 200;
const STEPS =
  "Its worker is asked, acknowledges that, stops the job, and kills it after its grace time: `freeing` of the " +
  "slot says which; it is free when its job is gone from it.";

const freeInput = reasonInput.extend({
  requeue: z
    .boolean()
    .optional()
    .describe("The job goes back in line and no failure is counted; else it ends as cancelled"),
});
const freeAllInput = freeInput.extend({ dry_run: z.boolean().optional().describe("Only count") });
const freed = {
  200: {
    description: "How many were asked; those that had been asked before are not counted",
    schema: z.object({ affected: z.int().min(0) }),
  },
};

const list = route({
  method: "get",
  path: "/workers/{id}/slots",
  tag,
  summary: "The slots of a connected worker, idle ones too",
  params: idParams,
  query: z.strictObject({ cursor: cursorParam(NUMBER), limit: limitParam }),
  answers: { 200: { description: "A page of slots", schema: listOf(slot) } },
  handle: async ({ params, query, caller, deps }) => {
    const limit = query.limit ?? LIST_DEFAULT;
    const page = { after: Number(query.cursor ?? 0), limit: limit + 1 };
    const found = await readSlots(deps.database.reads, params.id, seenFleet(caller.scope), page);
    if (found === null) throw notFound("connected worker", params.id);
    return ok(pageOf(found.items, limit, ({ slot }) => String(slot)));
  },
});

const free = route({
  method: "post",
  path: "/workers/{id}/slots/{n}/free",
  tag,
  summary: "Free a slot: stop what it runs",
  description:
    `${STEPS} An idle slot, and one that was asked before, are \`affected\` 0. With \`job\` it is freed only ` +
    "where it still runs that job: 409 otherwise.",
  allow: onSlot,
  params: z.strictObject({ id: z.uuid().toLowerCase(), n: z.string().regex(/^[1-9]\d{0,5}$/) }),
  body: freeInput.extend({
    job: z.uuid().toLowerCase().optional().describe("The job that you mean"),
  }),
  bodyOptional: true,
  answers: {
    200: {
      description: "The slot as it is now",
      schema: z.object({ affected: z.int().min(0).max(1), slot }),
    },
  },
  handle: async ({ params, body, caller, deps }) => {
    const n = Number(params.n);
    await slotOf(deps, caller, params.id, n);
    const { job, ...options } = body;
    const by = { orgs: orgsThatMay(caller.scope, "operate"), actor: caller.author };
    const result = await deps.engine.operating.slots.free(
      { worker: params.id, slot: n, job },
      options,
      by,
    );
    if (!result.ok) throw new ApiProblem(result.code, result.reason);
    const view = await slotOf(deps, caller, params.id, n);
    return ok({ affected: result.affected, slot: view });
  },
});

const freeOfOrg = route({
  method: "post",
  path: "/orgs/{org}/slots/free",
  tag,
  summary: "Free every slot that runs a job of an organization",
  description: `${STEPS} Workers of others, and jobs of others, are left alone.`,
  allow: inOrg("operate"),
  params: z.strictObject({ org: z.string().max(63) }),
  body: freeAllInput,
  bodyOptional: true,
  answers: freed,
  handle: async ({ params, body, caller, deps }) => {
    orgOf(deps, caller, params.org, "operate");
    return ok({ affected: await freeAll(deps, caller, params.org, body) });
  },
});

const freeEverywhere = route({
  method: "post",
  path: "/slots/free",
  tag,
  summary: "Free every slot",
  description: `For superusers. ${STEPS}`,
  allow: superusersOnly,
  body: freeAllInput,
  bodyOptional: true,
  answers: freed,
  handle: async ({ body, caller, deps }) =>
    ok({ affected: await freeAll(deps, caller, null, body) }),
});

function freeAll(
  { engine }: ApiDeps,
  { author }: Caller,
  org: string | null,
  { dry_run, ...options }: z.infer<typeof freeAllInput>,
): Promise<number> {
  return dry_run
    ? engine.operating.slots.count(org, options)
    : engine.operating.slots.freeAll(org, options, author);
}

/** 404 where the worker is gone, or has no such slot. */
async function slotOf({ database }: ApiDeps, { scope }: Caller, worker: string, n: number) {
  const page = { after: n - 1, limit: 1 };
  const found = await readSlots(database.reads, worker, seenFleet(scope), page);
  if (found === null) throw notFound("connected worker", worker);
  const [view] = found.items;
  if (view !== undefined) return view;
  const has = found.slots === 1 ? "one slot" : `slots 1 to ${found.slots}`;
  throw new ApiProblem("not_found", `That worker has no slot ${n}: it has ${has}.`);
}

export const slotRoutes: readonly Route[] = [list, free, freeOfOrg, freeEverywhere];
