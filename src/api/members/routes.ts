/** Organizations as their admins change them: settings, members and invitations. */
import { z } from "zod";
import { granterOf } from "../../accounts/members.ts";
import { inOrg, superusersOnly } from "../allowed.ts";
import { cursorParam, encodeCursor, listOf, pageOf, UUID } from "../cursor.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import * as schemas from "./schemas.ts";

const tag = "Organizations";
const LIST_DEFAULT = 100;
const orgParams = z.strictObject({ org: z.string().max(63) });
const memberParams = z.strictObject({ org: z.string().max(63), id: z.string().max(64) });
const invitationParams = z.strictObject({ org: z.string().max(63), id: z.uuid().toLowerCase() });
const PERSON = /^[A-Za-z0-9-]{1,64}$/;
const orgView = z.object({
  name: z.string(),
  title: z.string().nullable(),
  is_public: z.boolean(),
});

const create = route({
  method: "post",
  path: "/orgs",
  tag,
  summary: "Make an organization",
  allow: superusersOnly,
  body: schemas.newOrg,
  answers: { 201: { description: "The organization", schema: orgView } },
  handle: async ({ body, caller, deps }) => {
    const { name, title, is_public: isPublic } = body;
    const { organizations } = deps;
    await organizations.create(name, { title, isPublic }, caller.author);
    await deps.directory.refresh();
    return { status: 201, body: { name, title, is_public: isPublic } };
  },
});

const change = route({
  method: "patch",
  path: "/orgs/{org}",
  tag,
  summary: "Change its title, and whether it is public",
  params: orgParams,
  allow: inOrg("manage"),
  body: schemas.orgChange,
  answers: { 200: { description: "As it is now", schema: orgView } },
  handle: async ({ params, body, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const settings = {
      ...(body.title === undefined ? {} : { title: body.title }),
      ...(body.is_public === undefined ? {} : { isPublic: body.is_public }),
    };
    const { organizations } = deps;
    await organizations.change(org, settings, caller.author, body.reason ?? null);
    await deps.directory.refresh();
    const { name, title, isPublic } = deps.directory.byId(org.id)!;
    return ok({ name, title, is_public: isPublic });
  },
});

const members = route({
  method: "get",
  path: "/orgs/{org}/members",
  tag,
  summary: "Who is in it, and as what",
  params: orgParams,
  allow: inOrg("manage"),
  query: z.strictObject({ cursor: cursorParam(PERSON), limit: limitParam }),
  answers: { 200: { description: "A page of members", schema: listOf(schemas.member) } },
  handle: async ({ params, query, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const limit = query.limit ?? LIST_DEFAULT;
    const asked = { after: query.cursor ?? "", limit: limit + 1 };
    const found = await deps.members.list(org.id, asked);
    const { items, next_cursor } = pageOf(found, limit, ({ person }) => person);
    return ok({ items: items.map(schemas.memberView), next_cursor });
  },
});

const setMember = route({
  method: "put",
  path: "/orgs/{org}/members/{id}",
  tag,
  summary: "Give a person a role in it",
  description: "Nobody gives or takes more than they have. The last owner stays one.",
  params: memberParams,
  allow: inOrg("manage"),
  body: z.strictObject({ role: schemas.role }),
  answers: { 200: { description: "The role", schema: z.object({ role: schemas.role }) } },
  handle: async ({ params, body, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    // Whoever is no member yet is invited, unless a superuser knows them.
    const known = caller.scope.isSuperuser || (await deps.members.has(org.id, params.id));
    const by = granterOf(caller, org);
    if (!known || !(await deps.members.set(org, params.id, body.role, by))) {
      throw notFound("member", params.id);
    }
    return ok({ role: body.role });
  },
});

const removeMember = route({
  method: "delete",
  path: "/orgs/{org}/members/{id}",
  tag,
  summary: "Take a person out of it",
  description:
    "What they had open of it ends within a second. Everybody may leave, but the last owner.",
  params: memberParams,
  allow: inOrg("view"),
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: { description: "They are out", schema: z.object({ removed: z.literal(true) }) } },
  handle: async ({ params, body, caller, deps }) => {
    const isSelf = caller.credential.person === params.id;
    const org = orgOf(deps, caller, params.org, isSelf ? "view" : "manage");
    const by = granterOf(caller, org);
    const done = await deps.members.remove(org, params.id, by, body.reason ?? null);
    if (!done) throw notFound("member", params.id);
    return ok({ removed: true });
  },
});

const invitations = route({
  method: "get",
  path: "/orgs/{org}/invitations",
  tag,
  summary: "Invitations that can still be accepted",
  params: orgParams,
  allow: inOrg("manage"),
  query: z.strictObject({ cursor: cursorParam(UUID), limit: limitParam }),
  answers: { 200: { description: "A page of them", schema: listOf(schemas.invitation) } },
  handle: async ({ params, query, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const asked = { before: query.cursor ?? null, limit: query.limit ?? LIST_DEFAULT };
    const { items, next } = await deps.invitations.page(org.id, asked);
    const next_cursor = next === null ? null : encodeCursor(next);
    return ok({ items: items.map(schemas.invitationView), next_cursor });
  },
});

const invite = route({
  method: "post",
  path: "/orgs/{org}/invitations",
  tag,
  summary: "Make a link that makes whoever opens it a member, once",
  params: orgParams,
  allow: inOrg("manage"),
  body: schemas.newInvitation,
  answers: { 201: { description: "The invitation", schema: schemas.madeInvitation } },
  handle: async ({ params, body, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const by = granterOf(caller, org);
    const { invitation, secret } = await deps.invitations.create(org, body, by);
    const view = { ...schemas.invitationView(invitation), path: null };
    return { status: 201, body: view, once: { path: `/invitations/${secret}` } };
  },
});

const uninvite = route({
  method: "delete",
  path: "/orgs/{org}/invitations/{id}",
  tag,
  summary: "Take an invitation back",
  params: invitationParams,
  allow: inOrg("manage"),
  answers: { 200: { description: "It is gone", schema: z.object({ revoked: z.literal(true) }) } },
  handle: async ({ params, caller, deps }) => {
    const org = orgOf(deps, caller, params.org, "manage");
    const done = await deps.invitations.revoke(org, params.id, caller.author);
    if (!done) throw notFound("open invitation", params.id);
    return ok({ revoked: true });
  },
});

export const memberRoutes: readonly Route[] = [
  create,
  change,
  members,
  setMember,
  removeMember,
  invitations,
  invite,
  uninvite,
];
