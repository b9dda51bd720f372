/** Organizations. */
import { z } from "zod";
import { ROLES, roleIn, sightOf } from "../core/scope.ts";
import { cursorParam, listOf, pageOf } from "./cursor.ts";
import { time } from "./jobs/schemas.ts";
import { limitParam } from "./query.ts";
import { ok, type Route, route } from "./route.ts";

const LIST_DEFAULT = 100;
/** By name, for ids would tell how many others there are. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const org = z
  .object({
    name: z.string(),
    title: z.string().nullable().describe("For people; null: it is called by its name"),
    is_public: z.boolean().describe("Everybody who has signed in may read it"),
    role: z.enum(ROLES).nullable().describe("The caller's own; null: none"),
    created_at: time,
  })
  .meta({ id: "Org" });

const list = route({
  method: "get",
  path: "/orgs",
  tag: "Instance",
  summary: "Organizations that the caller sees; strangers see public ones",
  forStrangers: true,
  query: z.strictObject({ cursor: cursorParam(NAME), limit: limitParam }),
  answers: { 200: { description: "A page of organizations", schema: listOf(org) } },
  handle: ({ query, caller, deps }) => {
    const limit = query.limit ?? LIST_DEFAULT;
    const after = query.cursor ?? "";
    const seen = [...deps.directory.all]
      .filter(({ id, name }) => name > after && sightOf(caller.scope, id) !== "nothing")
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const page = pageOf(seen, limit, ({ name }) => name);
    return ok({
      ...page,
      items: page.items.map(({ id, name, title, isPublic, createdAt }) => ({
        name,
        title,
        is_public: isPublic,
        role: roleIn(caller.scope, id),
        created_at: createdAt.toISOString(),
      })),
    });
  },
});

export const orgRoutes: readonly Route[] = [list];
