/** What every page says while something critical fires, to those who see it. Pure. */
import { ruleOf } from "../../core/alerts/rules.ts";
import { type Scope, sees } from "../../core/scope.ts";
import type { StandingAlert } from "../../engine/alerts/standing.ts";
import { plural } from "../format.ts";

export interface Banner {
  head: string;
  alerts: { href: string; words: string }[];
  more: number;
}

const SHOWN_MAX = 3;

export function bannerOf(
  standing: readonly StandingAlert[],
  scope: Scope | undefined,
): Banner | null {
  if (scope === undefined) return null;
  const own = standing.filter((one) => one.severity === "critical" && sees(scope, one.org));
  if (own.length === 0) return null;
  return {
    head: `${plural(own.length, "critical alert")}:`,
    alerts: own.slice(0, SHOWN_MAX).map(({ rule, jobName }) => ({
      href: ruleHref(rule, jobName),
      words: ruleOf(rule)?.summary(jobName) ?? rule,
    })),
    more: Math.max(0, own.length - SHOWN_MAX),
  };
}

/** `org`: only what is of this organization. */
export function ruleHref(rule: string, jobName: string, org?: string): string {
  const query = { ...(org === undefined ? {} : { org }), name: jobName };
  return `/board/alerts/rules/${rule}?${new URLSearchParams(query)}`;
}
