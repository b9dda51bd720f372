/** Workflows: submit, add to, list, look at, cancel. */
import { z } from "zod";
import type { SubmittedWorkflow } from "../../engine/engine.ts";
import { jobName } from "../../messages/names.ts";
import { inOrg, onWorkflow } from "../allowed.ts";
import { cursorParam, encodeCursor, listOf, UUID } from "../cursor.ts";
import { reasonInput, workflowInput } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { idParams, limitParam } from "../query.ts";
import { jobReader } from "../reader.ts";
import { ok, type Reply, type Route, route } from "../route.ts";
import { listWorkflows, readWorkflow } from "./rows.ts";
import { moreJobs, submitted, WORKFLOW_STATES, workflow, workflowSummary } from "./schemas.ts";

const tag = "Workflows";
const LIST_DEFAULT = 50;
const JOBS_DEFAULT = 1000;
const orgParams = z.strictObject({ org: z.string().max(63) });
const KEY = /^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,127}$/;

const submit = route({
  method: "post",
  path: "/orgs/{org}/workflows",
  tag,
  summary: "Submit jobs that depend on each other",
  allow: inOrg("submit"),
  description: "All or nothing. A cycle or an unknown key is 422 and names it.",
  params: orgParams,
  body: workflowInput,
  answers: { 201: { description: "The workflow", schema: submitted } },
  handle: async ({ params, body, caller, deps, receipt }) =>
    created(await deps.engine.submitWorkflow(params.org, body, caller.author.name, receipt)),
  fromReceipt: async (receipt) => created(receipt as SubmittedWorkflow),
});

const list = route({
  method: "get",
  path: "/orgs/{org}/workflows",
  tag,
  summary: "Workflows, newest first",
  params: orgParams,
  query: z.strictObject({
    state: z.array(z.enum(WORKFLOW_STATES)).max(WORKFLOW_STATES.length).optional(),
    name: jobName.optional(),
    cursor: cursorParam(UUID),
    limit: limitParam,
  }),
  answers: { 200: { description: "A page of workflows", schema: listOf(workflowSummary) } },
  handle: async ({ params, query, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    const { items, next } = await listWorkflows(
      deps.database.reads,
      { org, state: query.state ?? [], name: query.name ?? null },
      { before: query.cursor ?? null, limit: query.limit ?? LIST_DEFAULT },
    );
    return ok({ items, next_cursor: next === null ? null : encodeCursor(next) });
  },
});

const show = route({
  method: "get",
  path: "/workflows/{id}",
  tag,
  summary: "One workflow with its jobs and their counts",
  params: idParams,
  query: z.strictObject({ cursor: cursorParam(KEY), limit: limitParam }),
  answers: { 200: { description: "The workflow", schema: workflow } },
  handle: async ({ params, query, caller, deps }) => {
    const found = await readWorkflow(jobReader(deps, caller), params.id, {
      afterKey: query.cursor ?? null,
      limit: query.limit ?? JOBS_DEFAULT,
    });
    if (found === null) throw notFound("workflow", params.id);
    const { next_cursor } = found;
    return ok({ ...found, next_cursor: next_cursor === null ? null : encodeCursor(next_cursor) });
  },
});

const add = route({
  method: "post",
  path: "/workflows/{id}/jobs",
  tag,
  summary: "Add jobs to an open workflow",
  allow: onWorkflow("submit"),
  params: idParams,
  body: moreJobs,
  answers: { 201: { description: "The new jobs", schema: submitted } },
  handle: async ({ params, body, caller, deps, receipt }) => {
    const options = { close: body.close ?? false };
    const actor = caller.author.name;
    return created(await deps.engine.addToWorkflow(params.id, body.jobs, options, actor, receipt));
  },
  fromReceipt: async (receipt) => created(receipt as SubmittedWorkflow),
});

const cancel = route({
  method: "post",
  path: "/workflows/{id}/cancel",
  tag,
  summary: "Cancel a workflow",
  allow: onWorkflow("operate"),
  description:
    "What waits ends, what runs is asked to stop, and its slots are free when it has. Jobs that another live " +
    "workflow holds are spared.",
  params: idParams,
  body: reasonInput,
  bodyOptional: true,
  answers: {
    200: {
      description: "How many jobs",
      schema: z.object({
        affected: z.int().min(0),
        pending: z.int().min(0).describe("That waited: cancelled"),
        running: z.int().min(0).describe("In slots: asked to stop"),
      }),
    },
  },
  handle: async ({ params, body, caller, deps }) => {
    const result = await deps.engine.cancelWorkflow(params.id, caller.author, body.reason);
    if (result.ok) {
      const { affected, pending, running } = result;
      return ok({ affected, pending, running });
    }
    throw new ApiProblem(result.code === "conflict" ? "conflict" : "not_found", result.reason);
  },
});

function created({ id, jobs }: SubmittedWorkflow): Reply {
  return { status: 201, body: { id, jobs } };
}

export const workflowRoutes: readonly Route[] = [submit, list, show, add, cancel];
