/** Tokens as they are asked for and answered. */
import { z } from "zod";
import { ROLES } from "../../core/scope.ts";
import type { ApiTokenRow } from "../../db/statements/api_tokens.ts";
import type { WorkerTokenRow } from "../../db/statements/worker_tokens.ts";
import { label } from "../../messages/names.ts";
import { time } from "../jobs/schemas.ts";

const NAME_MAX = 100;
const FEATURES_MAX = 256;
const SLOTS_MAX = 10_000;

const name = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(NAME_MAX)
  .regex(/^[^\p{Cc}]*$/u, "must not hold control characters")
  .describe("What pages and the audit log call it");

const expiresAt = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine((date) => date.getTime() > Date.now(), "must be in the future")
  .nullable()
  .default(null)
  .describe("Null: until it is revoked")
  .meta({ override: { type: ["string", "null"], format: "date-time" } });

export const newToken = z.strictObject({
  name,
  role: z.enum(ROLES).nullable().default(null).describe("The most it may be; null: as its owner"),
  purpose: z.enum(["api", "metrics"]).default("api").describe("`metrics` reads `/metrics` only"),
  expires_at: expiresAt,
});

export const newWorkerToken = z.strictObject({
  name,
  pool: label.nullable().default(null).describe("The only pool; null: any"),
  features: z.array(label).max(FEATURES_MAX).nullable().default(null),
  kinds: z
    .array(z.enum(["exec", "handler"]))
    .max(2)
    .nullable()
    .default(null),
  slots_max: z.int().min(1).max(SLOTS_MAX).nullable().default(null),
  expires_at: expiresAt,
});

const common = {
  id: z.uuid(),
  name: z.string(),
  hint: z.string().describe("What the secret begins with"),
  created_at: time,
  created_by: z.string(),
  expires_at: time.nullable(),
  revoked_at: time.nullable(),
  last_used_at: time.nullable().describe("Written about once a minute"),
};

export const token = z
  .object({
    ...common,
    org: z.string().nullable(),
    role: z.enum(ROLES).nullable(),
    purpose: z.enum(["api", "metrics"]),
    owner: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .describe("Null: made with the server's admin token"),
  })
  .meta({ id: "Token" });
export type TokenView = z.infer<typeof token>;

export const workerToken = z
  .object({
    ...common,
    org: z.string().nullable().describe("Null: of the fleet that all organizations share"),
    pool: z.string().nullable(),
    features: z.array(z.string()).nullable(),
    kinds: z.array(z.string()).nullable(),
    slots_max: z.int().nullable(),
  })
  .meta({ id: "WorkerToken" });
export type WorkerTokenView = z.infer<typeof workerToken>;

const secret = z
  .string()
  .nullable()
  .describe("Shown this once; null where a repeat of the request is answered");
export const madeToken = token.extend({ secret }).meta({ id: "MadeToken" });
export const madeWorkerToken = workerToken.extend({ secret }).meta({ id: "MadeWorkerToken" });
export type MadeTokenView = z.infer<typeof madeToken>;
export type MadeWorkerTokenView = z.infer<typeof madeWorkerToken>;

const print = (date: Date | null) => date?.toISOString() ?? null;

function commonView(row: ApiTokenRow | WorkerTokenRow) {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    expires_at: print(row.expires_at),
    revoked_at: print(row.revoked_at),
    last_used_at: print(row.last_used_at),
  };
}

export function tokenView(row: ApiTokenRow, org: string | null): TokenView {
  const owner = row.person_id === null ? null : { id: row.person_id, name: row.person ?? "" };
  return { ...commonView(row), org, role: row.role, purpose: row.purpose, owner };
}

export function workerTokenView(row: WorkerTokenRow, org: string | null): WorkerTokenView {
  const { pool, features, kinds, slots_max } = row;
  return { ...commonView(row), org, pool, features, kinds, slots_max };
}
