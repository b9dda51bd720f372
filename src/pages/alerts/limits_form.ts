/** Limits of a rule as their form has them, and what the form makes of them. Pure. */
import { limitKeys, type Rule } from "../../core/alerts/rules.ts";
import { LIMITS, type LimitKey } from "../../core/alerts/thresholds.ts";
import { type ParsedRuleInput, ruleInput } from "../../engine/alerts/input.ts";
import { ruleHref } from "../../web/alerts/banner.ts";
import type { RuleView } from "../../web/alerts/rules.ts";
import {
  type FieldSpec,
  fieldsOf,
  headProblem,
  type Problems,
  problemsOf,
  type Typed,
  typedIn,
} from "../../web/forms/fields.ts";
import { secondsIn, timeText } from "../../web/forms/time_text.ts";

const ENABLED = "enabled";
/** What the browser sends of a box that is ticked. */
const TICKED = "yes";

export function typedLimits(rule: Rule, form: URLSearchParams): Typed {
  return typedIn(form, [...limitKeys(rule), ENABLED]);
}

export interface Level {
  /** Empty: all jobs of the organization. */
  name: string;
  /** Whatever is set is to be taken back. */
  isBack: boolean;
  ofOrg: RuleView;
}

type Read = { input: ParsedRuleInput; problems: null } | { input: null; problems: Problems };

export function limitsIn(rule: Rule, typed: Typed, { name, isBack, ofOrg }: Level): Read {
  const keys = isBack ? [] : limitKeys(rule).filter((key) => typed[key] !== "");
  const limits = Object.fromEntries(keys.map((key) => [key, numberIn(key, typed[key]!)]));
  const enabled = isBack || typed[ENABLED] === TICKED;
  const parsed = ruleInput.safeParse({ job_name: name || null, enabled, limits });
  if (!parsed.success) return { input: null, problems: problemsOf(parsed.error.issues) };
  if (!isBack && name !== "" && enabled && keys.length === 0 && !ofOrg.enabled) {
    const problem =
      "It is switched off for all jobs: to have it on for this one alone, set one of its limits here, be it to the same figure.";
    return { input: null, problems: { "": problem } };
  }
  return { input: parsed.data, problems: null };
}

/** Below every range: its sentence says what may be written. */
const NO_NUMBER = -1;

function numberIn(key: LimitKey, text: string): number {
  const { unit } = LIMITS[key];
  if (unit === "seconds") return secondsIn(text) ?? NO_NUMBER;
  const [, digits, percent] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text) ?? [];
  if (digits === undefined || (percent === "%" && unit !== "share")) return NO_NUMBER;
  // 7 % are 0.07, not a hair more.
  return percent === "%" ? Number((Number(digits) / 100).toPrecision(12)) : Number(digits);
}

/** As it can be typed again. */
function textOf(key: string, value: number): string {
  const { unit } = LIMITS[key as LimitKey];
  if (unit === "seconds") return timeText(value);
  return unit === "share" ? `${Number((value * 100).toPrecision(12))} %` : String(value);
}

const FROM_WORDS = {
  default: "built in",
  organization: "set for all jobs",
  name: "set for this job",
} as const;

interface Held {
  /** As it holds for all jobs of the organization, and for what is looked at. */
  ofOrg: RuleView;
  held: RuleView;
}

export interface LimitsShown {
  org: string;
  name: string;
  typed: Typed | undefined;
  problems: Problems;
  isSaved: boolean;
  operates: boolean;
}

export function limitsModel(
  rule: Rule,
  { ofOrg, held }: Held,
  { org, name, typed, problems, isSaved, operates }: LimitsShown,
) {
  const level = name === "" ? "organization" : "name";
  const own = held.limits.filter(({ from }) => from === level);
  const isSet = own.length > 0 || (name === "" ? !held.enabled : held.overridden.includes(name));
  const now: Typed = {
    ...Object.fromEntries(own.map(({ key, value }) => [key, textOf(key, value)])),
    [ENABLED]: held.enabled ? TICKED : "",
  };
  const inherited = (key: string, builtIn: number) =>
    name === "" ? builtIn : ofOrg.limits.find((one) => one.key === key)!.value;
  const specs = held.limits.map((one): FieldSpec => {
    const placeholder = textOf(one.key, inherited(one.key, one.default));
    const attributes = { maxlength: "40", spellcheck: "false", placeholder };
    return {
      name: one.key,
      label: labelOf(one.key),
      hint: `${one.help}${HINTS[one.unit] ?? ""}`,
      attributes,
    };
  });
  const fields = fieldsOf("limit", specs, { typed: typed ?? now, problems });
  return {
    ...{ org, name, words: held.words, enabled: held.enabled, isSaved, operates, isSet, fields },
    isOn: (typed ?? now)[ENABLED] === TICKED,
    problem: headProblem(problems, fields),
    action: ruleHref(rule.name, name, org).replace("?", "/limits?"),
    held: timeText(held.for_seconds),
    rows: held.limits.map((one) => ({
      ...{ label: labelOf(one.key), key: one.key, value: wordsOf(one.key, one.value) },
      ...{ from: FROM_WORDS[one.from], isSet: one.from !== "default" },
      builtIn: wordsOf(one.key, one.default),
    })),
    others: held.overridden
      .filter((one) => one !== name)
      .map((one) => ({ name: one, href: `${ruleHref(rule.name, one, org)}#limits` })),
    all: name === "" ? "" : `${ruleHref(rule.name, "", org)}#limits`,
  };
}

const HINTS: Readonly<Record<string, string>> = { seconds: " In seconds, or such as 10 min." };

const labelOf = (key: string) => LIMITS[key as LimitKey].label;

function wordsOf(key: string, value: number): string {
  const { unit } = LIMITS[key as LimitKey];
  return unit === "share" || unit === "seconds"
    ? textOf(key, value)
    : value.toLocaleString("en-US");
}
