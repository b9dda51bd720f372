/** Jobs: submit, list, look at, cancel, retry. */
import { z } from "zod";
import type { ActionResult, JobFilter, Submitted } from "../../engine/engine.ts";
import { inOrg, onJob } from "../allowed.ts";
import { encodeCursor } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { notFound, orgOf, queueIdOf, workerIdOf } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { idParams } from "../query.ts";
import { jobReader } from "../reader.ts";
import { ok, type Reply, type Route, route } from "../route.ts";
import type { ListFilter } from "./filter.ts";
import { listJobs, searchedTo } from "./list.ts";
import { newJobRow } from "./new_row.ts";
import { readJob } from "./rows.ts";
import {
  bulkInput,
  job,
  jobInput,
  jobList,
  type ListQuery,
  listQuery,
  matchingInput,
  reasonInput,
} from "./schemas.ts";
import { jobSummaryView, jobView } from "./view.ts";

const tag = "Jobs";
const LIST_DEFAULT = 50;
export const orgParams = z.strictObject({ org: z.string().max(63) });
const jobAnswer = (description: string) => ({ description, schema: job });

const submit = route({
  method: "post",
  path: "/orgs/{org}/jobs",
  tag,
  summary: "Submit a job",
  allow: inOrg("submit"),
  params: orgParams,
  body: jobInput,
  answers: {
    201: jobAnswer("The new job"),
    200: jobAnswer("The job that `dedupe_key` names, which has not ended"),
  },
  handle: async ({ params, body, caller, deps, receipt }) => {
    const answer = (jobs: Submitted[]) => ({ status: 201, body: knownJob(jobs, deps) });
    const signed = receipt && { ...receipt, answer };
    const submitted = await deps.engine.submitJobs(params.org, [body], caller.author.name, signed);
    if (!submitted[0]!.job) return submittedJob(submitted, deps, caller);
    return { ...answer(submitted), kept: true };
  },
  fromReceipt: (receipt, { deps, caller }) => submittedJob(receipt as Submitted[], deps, caller),
});

const submitBulk = route({
  method: "post",
  path: "/orgs/{org}/jobs/bulk",
  tag,
  summary: "Submit up to 10,000 jobs, all or nothing",
  allow: inOrg("submit"),
  params: orgParams,
  body: bulkInput,
  answers: {
    201: {
      description: "Ids in the order of the jobs",
      schema: z.object({ ids: z.array(z.uuid()) }),
    },
  },
  handle: async ({ params, body, caller, deps, receipt }) =>
    submittedIds(await deps.engine.submitJobs(params.org, body.jobs, caller.author.name, receipt)),
  fromReceipt: async (receipt) => submittedIds(receipt as Submitted[]),
});

const list = route({
  method: "get",
  path: "/orgs/{org}/jobs",
  tag,
  summary: "Jobs, newest first",
  description:
    "Conditions narrow; `state` and `tag` may repeat. Looking is bounded: a page may hold fewer jobs " +
    "than `limit`, or none, and `next_cursor` goes on from where it stopped (`searched_to`).",
  params: orgParams,
  query: listQuery,
  answers: { 200: { description: "A page of jobs", schema: jobList } },
  handle: async ({ params, query, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    const filter = await resolveFilter(deps, org, query);
    if (filter === null) return ok({ items: [], next_cursor: null, searched_to: null });
    const { rows, next } = await listJobs(listDeps(deps), filter, {
      before: query.cursor ?? null,
      limit: query.limit ?? LIST_DEFAULT,
    });
    return ok({
      items: rows.map(jobSummaryView),
      next_cursor: next === null ? null : encodeCursor(next),
      searched_to: searchedTo(next),
    });
  },
});

const show = route({
  method: "get",
  path: "/jobs/{id}",
  tag,
  summary: "One job",
  params: idParams,
  answers: { 200: jobAnswer("The job, with payload and result") },
  handle: async ({ params, caller, deps }) => ok(await showJob(deps, caller, params.id)),
});

const cancel = route({
  method: "post",
  path: "/jobs/{id}/cancel",
  tag,
  summary: "Cancel a job",
  allow: onJob("operate"),
  description:
    "One that waits ends at once; one that runs is asked, and ends when its worker says.",
  params: idParams,
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: jobAnswer("The job as it is now") },
  handle: async ({ params, body, caller, deps }) => {
    const result = await deps.engine.cancelJob(params.id, caller.author, body.reason);
    return acted(deps, caller, params.id, result);
  },
});

const retry = route({
  method: "post",
  path: "/jobs/{id}/retry",
  tag,
  summary: "Take a job that ended badly back to queued",
  allow: onJob("operate"),
  description: "With all its dependents that it had kept from running.",
  params: idParams,
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: jobAnswer("The job as it is now") },
  handle: async ({ params, body, caller, deps }) => {
    const result = await deps.engine.retryJob(params.id, caller.author, body.reason);
    return acted(deps, caller, params.id, result);
  },
});

/** Two routes with one shape: the verb is the last step of the path. */
function onMatching(verb: "cancel" | "retry"): Route {
  return route({
    method: "post",
    path: `/orgs/{org}/jobs/${verb}`,
    tag,
    summary: verb === "cancel" ? "Cancel all jobs that match" : "Retry all jobs that match",
    allow: inOrg("operate"),
    description: "Goes on in the background: `GET /operations/{id}` shows how far it is.",
    params: orgParams,
    body: matchingInput,
    answers: {
      202: {
        description: "Begun; with `dry_run` only counted, and `operation` is null",
        schema: z.object({ operation: z.uuid().nullable(), affected: z.int() }),
      },
    },
    handle: async ({ params, body, caller, deps }) => {
      const { operation, affected } = await deps.engine.actOnMatching(
        verb,
        params.org,
        body.filter as JobFilter,
        { reason: body.reason, dryRun: body.dry_run ?? false },
        caller.author,
      );
      return { status: 202, body: { operation, affected } };
    },
  });
}

export const jobRoutes: readonly Route[] = [
  submit,
  submitBulk,
  list,
  show,
  cancel,
  retry,
  onMatching("cancel"),
  onMatching("retry"),
];

async function submittedJob([job]: Submitted[], deps: ApiDeps, caller: Caller): Promise<Reply> {
  return { status: job!.created ? 201 : 200, body: await showJob(deps, caller, job!.id) };
}

/** As it was written, without reading it. */
function knownJob([submitted]: Submitted[], deps: ApiDeps) {
  return jobView(newJobRow(deps.engine.names, submitted!.job!));
}

function submittedIds(submitted: readonly Submitted[]): Reply {
  return { status: 201, body: { ids: submitted.map(({ id }) => id) } };
}

async function showJob(deps: ApiDeps, caller: Caller, id: string) {
  const row = await readJob(jobReader(deps, caller), id);
  if (row === null) throw notFound("job", id);
  return jobView(row);
}

async function acted(
  deps: ApiDeps,
  caller: Caller,
  id: string,
  result: ActionResult,
): Promise<Reply> {
  if (result.ok) return ok(await showJob(deps, caller, id));
  throw new ApiProblem(result.code === "conflict" ? "conflict" : "not_found", result.reason);
}

function listDeps({ database, engine }: ApiDeps) {
  return { database, names: engine.names, now: () => engine.now() };
}

/** Null where nothing can match: a job name that never was. */
async function resolveFilter(
  deps: ApiDeps,
  org: number,
  query: ListQuery,
): Promise<ListFilter | null> {
  if (query.workflow !== undefined) await requireWorkflow(deps, org, query.workflow);
  const name = query.name === undefined ? null : await deps.engine.names.jobNameId(org, query.name);
  if (name === undefined) return null;
  return {
    org,
    states: query.state ?? [],
    queue: query.queue === undefined ? null : await queueIdOf(deps, org, query.queue),
    name,
    workflow: query.workflow ?? null,
    worker: query.worker === undefined ? null : await workerIdOf(deps, org, query.worker),
    tags: Object.fromEntries((query.tag ?? []).map(splitTag)),
    words: (query.q ?? "").split(/\s+/).filter((word) => word !== ""),
    createdAfter: query.created_after === undefined ? null : Date.parse(query.created_after),
    createdBefore: query.created_before === undefined ? null : Date.parse(query.created_before),
  };
}

async function requireWorkflow(deps: ApiDeps, org: number, id: string): Promise<void> {
  const rows = await deps.database.reads`
    select 1 from workflow where id = ${id} and org_id = ${org}`;
  if (rows.length === 0) throw notFound("workflow", id);
}

function splitTag(tag: string): [string, string] {
  const colon = tag.indexOf(":");
  return [tag.slice(0, colon), tag.slice(colon + 1)];
}
