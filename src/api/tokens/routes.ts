/** API tokens of an organization. */
import { z } from "zod";
import { inOrg } from "../allowed.ts";
import { cursorParam, listOf, pageOf, UUID } from "../cursor.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { orgOf } from "../lookup.ts";
import { limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { madeToken, newToken, token, tokenView } from "./schemas.ts";

const tag = "Tokens";
const LIST_DEFAULT = 100;
export const orgParams = z.strictObject({ org: z.string().max(63) });
export const tokenParams = z.strictObject({
  org: z.string().max(63),
  id: z.uuid().toLowerCase(),
});
export const pageQuery = z.strictObject({ cursor: cursorParam(UUID), limit: limitParam });

const list = route({
  method: "get",
  path: "/orgs/{org}/tokens",
  tag,
  summary: "API tokens, the newest first",
  description: "Revoked and expired ones too. For admins and owners.",
  params: orgParams,
  query: pageQuery,
  answers: { 200: { description: "A page of tokens", schema: listOf(token) } },
  handle: async ({ params, query, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const limit = query.limit ?? LIST_DEFAULT;
    const asked = { before: query.cursor ?? null, limit: limit + 1 };
    const found = await deps.tokens.list(caller, org, asked);
    const { items, next_cursor } = pageOf(found, limit, ({ id }) => id);
    return ok({ items: items.map((row) => tokenView(row, org.name)), next_cursor });
  },
});

const create = route({
  method: "post",
  path: "/orgs/{org}/tokens",
  tag,
  summary: "Make an API token",
  description:
    "It may what its owner may at each moment, in this organization, up to `role`. For admins and owners " +
    "who have signed in, and the server's admin token: a token makes no tokens.",
  params: orgParams,
  allow: inOrg("manage"),
  body: newToken,
  answers: { 201: { description: "The token, with its secret", schema: madeToken } },
  handle: async ({ params, body, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const { expires_at: expiresAt, ...wanted } = body;
    const made = await deps.tokens.create(caller, org, { ...wanted, expiresAt });
    const view = { ...tokenView(made.token, org.name), secret: null };
    return { status: 201, body: view, once: { secret: made.secret } };
  },
});

const revoke = route({
  method: "delete",
  path: "/orgs/{org}/tokens/{id}",
  tag,
  summary: "Revoke an API token",
  description: "What was opened with it ends within a second, on every server. Twice is once.",
  params: tokenParams,
  allow: inOrg("manage"),
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: { description: "The token", schema: token } },
  handle: async ({ params, body, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const row = await deps.tokens.revoke(caller, org, params.id, body.reason);
    return ok(tokenView(row, org.name));
  },
});

export const tokenRoutes: readonly Route[] = [list, create, revoke];
