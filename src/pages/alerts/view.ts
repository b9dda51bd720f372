/** Alerts, ready to print. Pure. */
import { firesWhen, type Rule } from "../../core/alerts/rules.ts";
import { NO_DATA_STEP, RUNBOOKS, type RunbookStep, stepHref } from "../../core/alerts/runbooks.ts";
import { may, type Scope } from "../../core/scope.ts";
import type { Evidence } from "../../engine/alerts/evaluator.ts";
import { ruleHref } from "../../web/alerts/banner.ts";
import type { ChannelView } from "../../web/alerts/channels.ts";
import type { AlertEventView, AlertView, SilenceView } from "../../web/alerts/rows.ts";
import type { RuleView } from "../../web/alerts/rules.ts";
import { HOME } from "./whose.ts";

/** Where the page stays when a form of it was sent. */
export interface Place {
  org: string;
}

function queryOf({ org }: Place): string {
  return org === "" ? "" : `?${new URLSearchParams({ org })}`;
}

export interface PageInput {
  place: Place;
  orgs: readonly { id: number; name: string }[];
  scope: Scope;
  alerts: readonly AlertView[];
  silences: readonly SilenceView[];
  events: readonly AlertEventView[];
  rules: readonly RuleView[];
  /** Null for who has no business with them. */
  channels: readonly ChannelView[] | null;
  older: string;
}

export function pageModel(input: PageInput) {
  const { place, orgs, scope } = input;
  const operated = orgs.filter(({ id }) => may(scope, id, "operate")).map(({ name }) => name);
  return {
    ...{ org: place.org, orgs: orgs.length > 1 ? orgs.map(({ name }) => name) : [] },
    showsOrg: orgs.length !== 1,
    operated,
    live: liveModel(input, operated),
    silences: input.silences.map((one) => silenceModel(one, operated, scope)),
    events: input.events.map((event) => eventModel(event, orgs.length !== 1)),
    older: input.older,
    channels: input.channels && channelsModel(input.channels, place),
    rules: input.rules.map((rule) => ({
      ...rule,
      href: `${HOME}/rules/${rule.rule}${queryOf(place)}`,
      overridden: rule.overridden.join(", "),
    })),
    ruleNames: input.rules.map(({ rule }) => rule),
  };
}

export type LiveInput = Pick<PageInput, "place" | "orgs" | "alerts">;

/** The part that is read anew by itself. */
export function liveModel({ place, orgs, alerts }: LiveInput, operated: readonly string[]) {
  const models = alerts.map((alert) => ({
    ...alert,
    since: Date.parse(alert.since),
    fired_at: alert.fired_at === null ? 0 : Date.parse(alert.fired_at),
    ends: alert.clear_since !== null,
    href: ruleHref(alert.rule, alert.job_name, orgs.length === 1 ? undefined : alert.org),
    may: operated.includes(alert.org),
  }));
  return {
    ...{ org: place.org, showsOrg: orgs.length !== 1, href: `${HOME}${queryOf(place)}` },
    firing: models.filter(({ state }) => state === "firing"),
    pending: models.filter(({ state }) => state === "pending"),
  };
}

function channelsModel(channels: readonly ChannelView[], place: Place) {
  const on = channels.filter(({ enabled }) => enabled);
  const lost = on.filter(
    ({ last_delivery: last }) => last !== null && last.error !== null && last.state !== "delivered",
  );
  return {
    ...{ told: on.length, lost: lost.length },
    href: `${HOME}/channels${queryOf(place)}`,
  };
}

function silenceModel(silence: SilenceView, operated: readonly string[], scope: Scope) {
  const { org, rule, job_name: name } = silence;
  const words = [rule ?? "every rule", name === null ? "every job" : name].join(" · ");
  const isOver = silence.ended_by !== null || Date.parse(silence.ends_at) <= Date.now();
  return {
    ...silence,
    org: org ?? "every organization",
    words,
    starts_at: Date.parse(silence.starts_at),
    ends_at: Date.parse(silence.ends_at),
    ended_by: silence.ended_by ?? "",
    state: silence.active ? "holds" : isOver ? "over" : "to come",
    mayEnd: !isOver && (org === null ? scope.isSuperuser : operated.includes(org)),
  };
}

const ENDS = { firing: "fired", resolved: "resolved", lapsed: "given up, for want of data" };

function eventModel(event: AlertEventView, showsOrg: boolean) {
  const { at, rule, job_name, org } = event;
  const href = ruleHref(rule, job_name, showsOrg ? org : undefined);
  return { ...event, at: Date.parse(at), words: ENDS[event.kind], href };
}

export interface RuleInput {
  rule: Rule;
  name: string;
  evidence: readonly Evidence[];
  events: readonly AlertEventView[];
  showsOrg: boolean;
}

const TRUTHS = { true: "yes", false: "no", unknown: "not known" };

export function ruleModel({ rule, name, evidence, events, showsOrg }: RuleInput) {
  const { meaning, look, mend } = RUNBOOKS[rule.name];
  const step = (one: RunbookStep) => ({
    text: one.text,
    page: one.page ?? "",
    href: stepHref(one, name)?.replace(/[?&]name=$/, "") ?? "",
  });
  return {
    ...{ name: rule.name, severity: rule.severity, words: firesWhen(rule), meaning, showsOrg },
    job: name,
    look: [...look, NO_DATA_STEP].map(step),
    mend: mend.map(step),
    evidence: evidence.map(({ orgName, jobName, verdict }) => ({
      ...{ org: orgName, job: jobName, truth: verdict.truth, holds: TRUTHS[verdict.truth] },
      sentence: verdict.sentence,
      href: ruleHref(rule.name, jobName, showsOrg ? orgName : undefined),
    })),
    events: events.map((event) => eventModel(event, showsOrg)),
  };
}
