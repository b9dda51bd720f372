/**
 * What is done on the page of the job service: each deed says first what it will hit, and then does it.
 * Whatever names nothing that the caller sees is not found; what it sees and may not change is refused.
 */
import type { Author } from "../../core/author.ts";
import { type Ability, may, type Scope } from "../../core/scope.ts";
import { count } from "../../web/format.ts";
import { demandedOrg, mayNot } from "../../web/forms/demanded_org.ts";
import type { BoardDeps } from "../../web/shell.ts";
import type { Tab } from "./filter.ts";

export interface Hit {
  label: string;
  value: string;
}

export interface DeedPreview {
  /** "Stop 3 queues?" */
  title: string;
  /** What it will hit: "1,204 pending jobs in 3 queues end as cancelled." */
  sentence: string;
  hits: Hit[];
  affected: number;
}

export interface DeedAsk {
  deps: BoardDeps;
  scope: Scope;
  /** Empty: every organization that the caller operates in. */
  org: string;
  items: readonly string[];
}

export interface DeedRun extends DeedAsk {
  author: Author;
  reason: string | undefined;
  /** Of freed slots: their jobs go back in line. */
  requeue: boolean;
}

/** What was not done of what was ticked, and why. */
export interface Refusal {
  label: string;
  reason: string;
}

export interface Done {
  affected: number;
  /** Of the items those that changed, where an undo is not for all of them. */
  changed?: readonly string[];
  refused?: readonly Refusal[];
  /** What goes on in the background and shows its progress, by id. */
  operations?: readonly string[];
}

export interface Deed {
  tab: Tab;
  verb: string;
  isDangerous?: true;
  /** Of those that items name, or of all. */
  isOfAll?: true;
  mayRequeue?: true;
  /** What happens, when, and how it is taken back. */
  effect: string;
  preview(ask: DeedAsk): Promise<DeedPreview>;
  run(ask: DeedRun): Promise<Done>;
  /** "Paused 3 queues." */
  done(affected: number): string;
  /** Said instead where nothing changed. */
  none?: string;
  /** The deed that takes it back, for the same items. */
  undo?: string;
}

export const ITEMS_SHOWN = 20;
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Names of organizations that the caller operates in, or null: all there are. */
export function operatedOrgs({ deps, scope, org }: DeedAsk): (string | null)[] {
  if (org !== "") return [mustOperate(deps, scope, org)];
  if (scope.isSuperuser) return [null];
  const all = [...deps.directory.all].filter(({ id }) => may(scope, id, "operate"));
  if (all.length === 0) throw mayNot("operate", "an organization");
  return all.map(({ name }) => name).sort();
}

export function mustOperate(
  deps: BoardDeps,
  scope: Scope,
  name: string,
  ability: Ability = "operate",
): string {
  return demandedOrg(deps, scope, name, ability).name;
}

export function shown(labels: readonly string[]): Hit[] {
  return some(labels.map((label) => ({ label, value: "" })));
}

export function some(all: readonly Hit[]): Hit[] {
  const hits = all.slice(0, ITEMS_SHOWN);
  const more = all.length - hits.length;
  return more > 0 ? [...hits, { label: `and ${count(more)} more`, value: "" }] : hits;
}

export const everywhere = (org: string) => (org === "" ? "" : ` of ${org}`);
