/** `GET /me`: who the server takes the caller for, and what they may where. */
import { z } from "zod";
import { ROLES } from "../../core/scope.ts";
import { ok, type Route, route } from "../route.ts";
import { token, tokenView } from "./schemas.ts";

const me = z
  .object({
    name: z.string(),
    person: z.string().nullable().describe("Null: the server's admin token, or a token of its"),
    via: z.enum(["token", "cookie"]),
    is_superuser: z.boolean(),
    roles: z.record(z.string(), z.enum(ROLES)).describe("By the name of the organization"),
    token: token.nullable(),
    expires_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof me>;

const who = route({
  method: "get",
  path: "/me",
  tag: "Instance",
  summary: "Who am I",
  answers: { 200: { description: "The caller", schema: me } },
  handle: async ({ caller, deps }) => {
    const { author, scope, credential, via } = caller;
    const nameOf = (org: number | null) =>
      org === null ? null : (deps.directory.byId(org)?.name ?? null);
    const roles = [...scope.roles].flatMap(([org, role]) => {
      const name = nameOf(org);
      return name === null ? [] : [[name, role] as const];
    });
    const row = await deps.tokens.ownOf(caller);
    const { expiresAt } = credential;
    return ok({
      name: author.name,
      person: author.user,
      via,
      is_superuser: scope.isSuperuser,
      roles: Object.fromEntries(roles),
      token: row === null ? null : tokenView(row, nameOf(row.org_id)),
      expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    });
  },
});

export const meRoutes: readonly Route[] = [who];
