/** Jobs: submit, list, look at, cancel, retry. */
import { z } from "zod";
import { timeOfId } from "../../core/ids.ts";
import { askedOrgIds } from "../../core/search/criteria.ts";
import { termsOf } from "../../core/search/fields.ts";
import type { ActionResult, Submitted } from "../../engine/engine.ts";
import { readJob } from "../../web/jobs/rows.ts";
import { searchJobs } from "../../web/jobs/search.ts";
import { inOrg, onJob } from "../allowed.ts";
import { encodeCursor } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { notFound, orgOf, queueIdOf, workerIdOf } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { idParams, orgParams } from "../query.ts";
import { jobReader } from "../reader.ts";
import { ok, type Reply, type Route, route } from "../route.ts";
import { onMatching } from "./matching.ts";
import { newJobRow } from "./new_row.ts";
import {
  bulkInput,
  job,
  jobInput,
  jobList,
  type ListQuery,
  listQuery,
  reasonInput,
} from "./schemas.ts";
import { jobSummaryView, jobView } from "./view.ts";

const tag = "Jobs";
const LIST_DEFAULT = 50;
const SCANNED_MAX = 50_000;
const BUDGET_MS = 400;
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
    const org = orgOf(deps, caller, params.org, "view");
    await requireNamed(deps, org.id, query);
    const terms = termsOf({ ...query, tag: Object.fromEntries((query.tag ?? []).map(splitTag)) });
    const { rows, walked } = await searchJobs(searchDeps(deps), {
      terms,
      orgs: askedOrgIds(terms, [org.id], [org]),
      isWhole: caller.scope.isSuperuser,
      from: query.cursor ?? null,
      direction: "older",
      ...{ limit: query.limit ?? LIST_DEFAULT, scanMax: SCANNED_MAX, budgetMs: BUDGET_MS },
    });
    if (walked.isSlow && walked.reached === (query.cursor ?? null)) throw tooSlow();
    const next = walked.isEnd ? null : walked.reached;
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

function searchDeps({ database, engine }: ApiDeps) {
  return { database, names: engine.names, now: () => engine.now() };
}

/** When the last job that was looked at was made; null where the end was reached. */
function searchedTo(next: string | null): string | null {
  const time = next === null ? null : timeOfId(next);
  return time === null ? null : new Date(time).toISOString();
}

/** It would be cut off again: going on from the same place answers nothing. */
function tooSlow(): ApiProblem {
  return new ApiProblem("unavailable", "The database was too slow to look at any job. Try again.");
}

/** What is named by a condition of its own must be there; a job's name is not, until there is a job. */
async function requireNamed(deps: ApiDeps, org: number, query: ListQuery): Promise<void> {
  if (query.workflow !== undefined) await requireWorkflow(deps, org, query.workflow);
  if (query.queue !== undefined) await queueIdOf(deps, org, query.queue);
  if (query.worker !== undefined) await workerIdOf(deps, org, query.worker);
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
