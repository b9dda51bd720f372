/** Worker tokens: of an organization, and of the fleet that all organizations share. */
import type { z } from "zod";
import type { Caller } from "../../accounts/caller.ts";
import type { Organization } from "../../accounts/directory.ts";
import { inOrg, superusersOnly } from "../allowed.ts";
import { listOf, pageOf } from "../cursor.ts";
import type { ApiDeps } from "../deps.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { orgOf } from "../lookup.ts";
import { idParams } from "../query.ts";
import { ok, type Reply, type Route, route } from "../route.ts";
import { orgParams, pageQuery, tokenParams } from "./routes.ts";
import { madeWorkerToken, newWorkerToken, workerToken, workerTokenView } from "./schemas.ts";

const tag = "Tokens";
const LIST_DEFAULT = 100;
const answers = {
  list: { 200: { description: "A page of tokens", schema: listOf(workerToken) } },
  create: { 201: { description: "The token, with its secret", schema: madeWorkerToken } },
  revoke: { 200: { description: "The token", schema: workerToken } },
};

interface Asked {
  caller: Caller;
  deps: ApiDeps;
  /** Null: the shared fleet. */
  org: Organization | null;
}

async function answerList(
  { caller, deps, org }: Asked,
  query: z.output<typeof pageQuery>,
): Promise<Reply> {
  const limit = query.limit ?? LIST_DEFAULT;
  const asked = { before: query.cursor ?? null, limit: limit + 1 };
  const found = await deps.workerTokens.list(caller, org, asked);
  const { items, next_cursor } = pageOf(found, limit, ({ id }) => id);
  return ok({ items: items.map((row) => workerTokenView(row, org?.name ?? null)), next_cursor });
}

async function answerCreate(
  { caller, deps, org }: Asked,
  body: z.output<typeof newWorkerToken>,
): Promise<Reply> {
  const { expires_at: expiresAt, ...wanted } = body;
  const made = await deps.workerTokens.create(caller, org, { ...wanted, expiresAt });
  const view = { ...workerTokenView(made.token, org?.name ?? null), secret: null };
  return { status: 201, body: view, once: { secret: made.secret } };
}

async function answerRevoke({ caller, deps, org }: Asked, id: string, reason?: string) {
  const row = await deps.workerTokens.revoke(caller, org, id, reason);
  return ok(workerTokenView(row, org?.name ?? null));
}

const list = route({
  method: "get",
  path: "/orgs/{org}/worker-tokens",
  tag,
  summary: "Worker tokens of an organization, the newest first",
  params: orgParams,
  query: pageQuery,
  answers: answers.list,
  handle: ({ params, query, caller, deps }) =>
    answerList({ caller, deps, org: orgOf(deps, caller, params.org, "manage") }, query),
});

const create = route({
  method: "post",
  path: "/orgs/{org}/worker-tokens",
  tag,
  summary: "Make a worker token of an organization",
  description: "Workers join with it, and may offer at most what it allows; null allows anything.",
  params: orgParams,
  allow: inOrg("manage"),
  body: newWorkerToken,
  answers: answers.create,
  handle: ({ params, body, caller, deps }) =>
    answerCreate({ caller, deps, org: orgOf(deps, caller, params.org, "manage") }, body),
});

const revoke = route({
  method: "delete",
  path: "/orgs/{org}/worker-tokens/{id}",
  tag,
  summary: "Revoke a worker token of an organization",
  description: "Its workers are cut off within a second, on every server. Twice is once.",
  params: tokenParams,
  allow: inOrg("manage"),
  body: reasonInput,
  bodyOptional: true,
  answers: answers.revoke,
  handle: ({ params, body, caller, deps }) =>
    answerRevoke(
      { caller, deps, org: orgOf(deps, caller, params.org, "manage") },
      params.id,
      body.reason,
    ),
});

const listShared = route({
  method: "get",
  path: "/worker-tokens",
  tag,
  summary: "Worker tokens of the shared fleet, the newest first",
  description: "For superusers.",
  query: pageQuery,
  answers: answers.list,
  handle: ({ query, caller, deps }) => answerList({ caller, deps, org: null }, query),
});

const createShared = route({
  method: "post",
  path: "/worker-tokens",
  tag,
  summary: "Make a worker token of the shared fleet",
  description: "Its workers work for every organization. For superusers.",
  allow: superusersOnly,
  body: newWorkerToken,
  answers: answers.create,
  handle: ({ body, caller, deps }) => answerCreate({ caller, deps, org: null }, body),
});

const revokeShared = route({
  method: "delete",
  path: "/worker-tokens/{id}",
  tag,
  summary: "Revoke a worker token of the shared fleet",
  description: "For superusers. Twice is once.",
  params: idParams,
  allow: superusersOnly,
  body: reasonInput,
  bodyOptional: true,
  answers: answers.revoke,
  handle: ({ params, body, caller, deps }) =>
    answerRevoke({ caller, deps, org: null }, params.id, body.reason),
});

export const workerTokenRoutes: readonly Route[] = [
  list,
  create,
  revoke,
  listShared,
  createShared,
  revokeShared,
];
