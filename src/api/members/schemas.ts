/** Organizations, members, invitations and people as they are asked for and answered. */
import { z } from "zod";
import type { Invitation } from "../../accounts/invitations.ts";
import type { Member } from "../../accounts/members.ts";
import { ORG_NAME } from "../../accounts/organizations.ts";
import type { Person } from "../../accounts/people.ts";
import { ROLES } from "../../core/scope.ts";
import { time } from "../jobs/schemas.ts";

const TITLE_MAX = 100;
export const role = z.enum(ROLES);
const title = z
  .string()
  .max(TITLE_MAX)
  .nullable()
  .describe("For people; null: it is called by its name");

export const newOrg = z.strictObject({
  name: z.string().regex(ORG_NAME, "has 1 to 63 of a-z, 0-9, dot, dash and underscore"),
  title: title.default(null),
  is_public: z.boolean().default(false).describe("Everybody who has signed in may read it"),
});

export const orgChange = z.strictObject({
  title: title.optional(),
  is_public: z.boolean().optional(),
  reason: z.string().max(1_000).optional(),
});

export const member = z
  .object({
    id: z.string().describe("Of the person"),
    name: z.string(),
    email: z.string(),
    role,
    since: time,
  })
  .meta({ id: "Member" });

export function memberView({ person, name, email, role: own, since }: Member) {
  return { id: person, name, email, role: own, since: since.toISOString() };
}

export const newInvitation = z.strictObject({
  role: role.default("member"),
  email: z.email().nullable().default(null).describe("Only who has this address may accept it"),
});

export const invitation = z
  .object({
    id: z.uuid(),
    role,
    email: z.string().nullable(),
    created_at: time,
    created_by: z.string(),
    expires_at: time,
  })
  .meta({ id: "Invitation" });

export const madeInvitation = invitation
  .extend({ path: z.string().nullable().describe("Of the link to pass on; shown this once") })
  .meta({ id: "MadeInvitation" });

export function invitationView(one: Invitation) {
  return {
    id: one.id,
    role: one.role,
    email: one.email,
    created_at: one.createdAt.toISOString(),
    created_by: one.createdBy,
    expires_at: one.expiresAt.toISOString(),
  };
}

export const newPerson = z.strictObject({
  name: z.string().max(200),
  email: z.string().max(255),
  password: z.string().max(1_000).nullable().default(null).describe("Null: by the provider only"),
  is_superuser: z.boolean().default(false),
});

export const personChange = z.strictObject({ is_superuser: z.boolean() });

export const person = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    is_superuser: z.boolean(),
    created_at: time,
  })
  .meta({ id: "Person" });

export type PersonView = z.infer<typeof person>;

export function personView(one: Person) {
  return {
    id: one.id,
    name: one.name,
    email: one.email,
    is_superuser: one.isSuperuser,
    created_at: one.createdAt.toISOString(),
  };
}
