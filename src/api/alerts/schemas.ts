/** Alerts as the API shows them. */
import { z } from "zod";
import { RULE_NAMES } from "../../core/alerts/rules.ts";
import {
  channelInput as plainChannelInput,
  channelPatch as plainChannelPatch,
  ruleInput as plainRuleInput,
  silenceInput as plainSilenceInput,
} from "../../engine/alerts/input.ts";
import { time } from "../jobs/schemas.ts";

export const silenceInput = plainSilenceInput.meta({ id: "SilenceInput" });
export const channelInput = plainChannelInput.meta({ id: "AlertChannelInput" });
export const channelPatch = plainChannelPatch.meta({ id: "AlertChannelPatch" });
export const ruleInput = plainRuleInput.meta({ id: "AlertRuleInput" });

const rule = z.enum(RULE_NAMES);
const severity = z.enum(["critical", "warning"]);
const about = {
  org: z.string(),
  rule,
  severity,
  job_name: z.string(),
  summary: z.string(),
  description: z.string().describe("The real figures, as a sentence"),
  value: z.number().nullable().describe("What was compared, in the limit's unit"),
  limit: z.number().nullable(),
  since: time.describe("The condition has held since"),
  silenced: z.boolean(),
};

export const alert = z
  .object({
    ...about,
    id: z.uuid(),
    state: z.enum(["pending", "firing"]),
    fired_at: time.nullable(),
    clear_since: time.nullable().describe("The condition has not held since; it resolves soon"),
  })
  .meta({ id: "Alert" });

export const alertEvent = z
  .object({
    ...about,
    id: z.string(),
    alert: z.uuid(),
    kind: z.enum(["firing", "resolved", "lapsed"]),
    at: time,
  })
  .meta({ id: "AlertEvent" });

export const silence = z
  .object({
    id: z.uuid(),
    org: z.string().nullable().describe("Null: of every organization"),
    rule: z.string().nullable(),
    job_name: z.string().nullable(),
    starts_at: time,
    ends_at: time,
    active: z.boolean(),
    reason: z.string(),
    created_at: time,
    created_by: z.string(),
    ended_by: z.string().nullable(),
  })
  .meta({ id: "Silence" });

export const channel = z
  .object({
    id: z.uuid(),
    org: z.string().nullable().describe("Null: hears of every organization"),
    name: z.string(),
    kind: z.enum(["webhook", "slack", "email"]),
    severity,
    url: z.string().nullable().describe("Scheme and host: what follows is often a secret"),
    addresses: z.array(z.string()).nullable(),
    enabled: z.boolean(),
    created_at: time,
    created_by: z.string(),
    updated_at: time,
    updated_by: z.string(),
    last_delivery: z
      .object({
        state: z.enum(["waiting", "delivered", "given_up"]),
        attempts: z.int(),
        at: time,
        error: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: "AlertChannel" });

export const newChannel = channel
  .extend({
    secret: z
      .string()
      .nullable()
      .describe(
        "Signs what a webhook is sent. Shown this once; keep it where messages are checked",
      ),
  })
  .meta({ id: "NewAlertChannel" });

export const tried = z
  .object({ delivered: z.boolean(), error: z.string().nullable() })
  .meta({ id: "AlertChannelTest" });

export const alertRule = z
  .object({
    rule,
    severity,
    enabled: z.boolean(),
    for_seconds: z.int(),
    words: z.string().describe("When it fires, as a sentence"),
    limits: z.array(
      z.object({
        key: z.string(),
        value: z.number(),
        default: z.number(),
        unit: z.string(),
        from: z.enum(["default", "organization", "name"]),
        help: z.string(),
      }),
    ),
    overridden: z.array(z.string()).describe("Job names with limits of their own, at most 100"),
  })
  .meta({ id: "AlertRule" });

export type AlertAnswer = z.infer<typeof alert>;
export type AlertEventAnswer = z.infer<typeof alertEvent>;
export type SilenceAnswer = z.infer<typeof silence>;
export type SilenceInput = z.input<typeof silenceInput>;
