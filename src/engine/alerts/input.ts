/** Silences, channels and limits of alerts, as they are asked for: in the API, on the board. */
import { z } from "zod";
import { ALERT_RULES, RULE_NAMES, type RuleName } from "../../core/alerts/rules.ts";
import { LIMITS, type LimitKey, limitProblem } from "../../core/alerts/thresholds.ts";
import { JOB_NAME, jobName } from "../../messages/names.ts";

const words = (max: number) =>
  z
    .string()
    .trim()
    .min(1, "must not be empty")
    .max(max)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u, "must not hold control characters");

export const ruleName = z.enum(RULE_NAMES);
const isPattern = (text: string) => JOB_NAME.test(text.replace(/\*$/, "")) || text === "*";

const DAY = 86_400;
export const SILENCE_MAX_DAYS = 366;

export const silenceInput = z.strictObject({
  rule: ruleName.nullable().default(null).describe("Null: every rule"),
  job_name: z
    .string()
    .max(129)
    .refine(isPattern, "must be the name of a job, or the beginning of some with a * behind it")
    .nullable()
    .default(null)
    .describe("Null: every job; `report-*`: all whose name begins so"),
  starts_at: z.iso.datetime({ offset: true }).nullable().default(null).describe("Null: now"),
  ends_at: z.iso.datetime({ offset: true }).nullable().default(null).describe("Or `seconds`"),
  seconds: z
    .int()
    .min(60, "must be 60 seconds or more")
    .max(SILENCE_MAX_DAYS * DAY, `must be at most ${SILENCE_MAX_DAYS} days`)
    .nullable()
    .default(null)
    .describe("How long it lasts; or `ends_at`"),
  reason: words(500).describe("For those who wonder why nobody was told"),
});
export type SilenceInput = z.input<typeof silenceInput>;
export type ParsedSilenceInput = z.output<typeof silenceInput>;

const ADDRESS =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;
const ADDRESSES_MAX = 20;

/** Null where the address may be used; else a sentence that says what may. */
export function urlProblem(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return "must be an address that begins with https:// or http://";
  }
  if (url.username !== "" || url.password !== "") {
    return "must not hold a user or a password: anything secret belongs into its path";
  }
  return url.hash === "" ? null : "must not hold a # part: nothing after it is sent";
}

const url = z
  .string()
  .trim()
  .max(2_000)
  .superRefine((text, ctx) => {
    const message = urlProblem(text);
    if (message !== null) ctx.addIssue({ code: "custom", message });
  });

const channel = {
  name: words(100),
  kind: z.enum(["webhook", "slack", "email"]),
  severity: z.enum(["warning", "critical"]).describe("Told from this on: `warning` is everything"),
  url: url.nullable().describe("Of a webhook or of Slack"),
  addresses: z
    .array(z.string().trim().regex(ADDRESS, "must be an e-mail address, such as ops@example.org"))
    .min(1, "needs at least one address")
    .max(ADDRESSES_MAX)
    .nullable()
    .describe("Of e-mail"),
  enabled: z.boolean(),
};

export const channelInput = z
  .strictObject({
    ...channel,
    severity: channel.severity.default("warning"),
    url: channel.url.default(null),
    addresses: channel.addresses.default(null),
    enabled: channel.enabled.default(true),
  })
  .superRefine(({ kind, url: at, addresses }, ctx) => {
    const needs = kind === "email" ? "addresses" : "url";
    const other = kind === "email" ? "url" : "addresses";
    if ((kind === "email" ? addresses : at) === null) {
      const message = `is missing: a channel of kind ${kind} needs it`;
      ctx.addIssue({ code: "custom", path: [needs], message });
    }
    if ((kind === "email" ? at : addresses) !== null) {
      const message = `does not belong to a channel of kind ${kind}: leave it out`;
      ctx.addIssue({ code: "custom", path: [other], message });
    }
  });
export type ParsedChannelInput = z.output<typeof channelInput>;

/** What is not named stays; the kind cannot be changed. */
const { kind: _kind, ...changeable } = channel;
export const channelPatch = z.strictObject(changeable).partial();
export type ParsedChannelPatch = z.output<typeof channelPatch>;

const LIMIT_KEYS = Object.keys(LIMITS) as LimitKey[];
export const limitsInput = z
  .partialRecord(z.enum(LIMIT_KEYS as [LimitKey, ...LimitKey[]]), z.number())
  .superRefine((limits, ctx) => {
    for (const [key, value] of Object.entries(limits)) {
      const message = limitProblem(key as LimitKey, value);
      if (message !== null) ctx.addIssue({ code: "custom", path: [key], message });
    }
  });

export const ruleInput = z.strictObject({
  job_name: jobName.nullable().default(null).describe("Null: all jobs of the organization"),
  enabled: z.boolean().default(true),
  limits: limitsInput
    .default({})
    .describe("Only those that differ; without any, and enabled, the rule is as it comes"),
});
export type ParsedRuleInput = z.output<typeof ruleInput>;

/** A sentence for each limit that the rule has not. */
export function strangeLimits(
  rule: RuleName,
  limits: object,
): { path: string[]; message: string }[] {
  const known = Object.keys(ALERT_RULES.find((one) => one.name === rule)!.limits);
  return Object.keys(limits)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: ["limits", key],
      message: `is no limit of ${rule}: it has ${known.join(", ")}`,
    }));
}
