/** People with an account on this server, for superusers. */
import { z } from "zod";
import { superusersOnly } from "../allowed.ts";
import { cursorParam, listOf, pageOf } from "../cursor.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound } from "../lookup.ts";
import { limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { newPerson, person, personChange, personView } from "./schemas.ts";

const tag = "People";
const LIST_DEFAULT = 100;
const PERSON = /^[A-Za-z0-9-]{1,64}$/;
const personParams = z.strictObject({ id: z.string().max(64) });

const list = route({
  method: "get",
  path: "/people",
  tag,
  summary: "Everybody with an account",
  allow: superusersOnly,
  query: z.strictObject({ cursor: cursorParam(PERSON), limit: limitParam }),
  answers: { 200: { description: "A page of people", schema: listOf(person) } },
  handle: async ({ query, deps }) => {
    const limit = query.limit ?? LIST_DEFAULT;
    const { people } = deps.authentication;
    const found = await people.list({ after: query.cursor ?? "", limit: limit + 1 });
    const { items, next_cursor } = pageOf(found, limit, ({ id }) => id);
    return ok({ items: items.map(personView), next_cursor });
  },
});

const create = route({
  method: "post",
  path: "/people",
  tag,
  summary: "Make an account for somebody",
  allow: superusersOnly,
  body: newPerson,
  answers: { 201: { description: "The person", schema: person } },
  handle: async ({ body, caller, deps }) => {
    const { is_superuser: isSuperuser, ...rest } = body;
    const made = await deps.authentication.people.create({ ...rest, isSuperuser }, caller.author);
    return { status: 201, body: personView(made) };
  },
});

const change = route({
  method: "patch",
  path: "/people/{id}",
  tag,
  summary: "Make somebody a superuser, or an ordinary person again",
  description: "The last superuser stays one.",
  params: personParams,
  allow: superusersOnly,
  body: personChange,
  answers: { 200: { description: "The person", schema: person } },
  handle: async ({ params, body, caller, deps }) => {
    const { people } = deps.authentication;
    await people.setSuperuser(params.id, body.is_superuser, caller.author);
    const found = await people.find(params.id);
    if (found === null) throw notFound("person", params.id);
    return ok(personView(found));
  },
});

const remove = route({
  method: "delete",
  path: "/people/{id}",
  tag,
  summary: "Remove somebody's account",
  description: "With sessions, memberships and tokens, all at once.",
  params: personParams,
  allow: superusersOnly,
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: { description: "Gone", schema: z.object({ removed: z.literal(true) }) } },
  handle: async ({ params, body, caller, deps }) => {
    const { people } = deps.authentication;
    const done = await people.remove(params.id, caller.author, body.reason ?? null);
    if (!done) throw notFound("person", params.id);
    return ok({ removed: true });
  },
});

export const peopleRoutes: readonly Route[] = [list, create, change, remove];
