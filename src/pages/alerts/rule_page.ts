/** A rule: its runbook with live figures, and its limits, of an organization or one of its job names. */
import type { Organization } from "../../accounts/directory.ts";
import { type Rule, ruleOf } from "../../core/alerts/rules.ts";
import { may, seenOrgs } from "../../core/scope.ts";
import { clipText } from "../../core/storable.ts";
import { ruleHref } from "../../web/alerts/banner.ts";
import { readAlertEvents } from "../../web/alerts/rows.ts";
import { readRules } from "../../web/alerts/rules.ts";
import { PageError } from "../../web/errors.ts";
import { demandedOrg } from "../../web/forms/demanded_org.ts";
import { type Problems, problemsIn, type Typed } from "../../web/forms/fields.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { limitsIn, limitsModel, typedLimits } from "./limits_form.ts";
import { evidenceNames } from "./queries.ts";
import { ruleModel } from "./view.ts";
import { alone, askedOrg, ownForm, seenBy } from "./whose.ts";

const NAME_MAX = 200;
const EVENTS_SHOWN = 100;

export async function showRule(c: BoardContext, shell: Shell): Promise<Response> {
  const rule = knownRule(c);
  const params = new URL(c.req.url).searchParams;
  const org = askedOrg(shell, c.get("caller").scope, params.get("org") ?? "");
  const isSaved = params.get("news") === "saved";
  return print(c, shell, { rule, org, name: nameIn(params) }, { isSaved });
}

export async function setLimits(c: BoardContext, shell: Shell): Promise<Response> {
  const form = await ownForm(c);
  const rule = knownRule(c);
  const { scope, author } = c.get("caller");
  const params = new URL(c.req.url).searchParams;
  const org = demandedOrg(shell.deps, scope, params.get("org") ?? "", "operate");
  const name = nameIn(params);
  const what = { rule, org, name };
  const typed = typedLimits(rule, form);
  const ofOrg = await ruleFor(shell, rule, org.id, "");
  const { input, problems } = limitsIn(rule, typed, { name, isBack: form.has("back"), ofOrg });
  if (problems !== null) return print(c, shell, what, { typed, problems }, 422);
  try {
    await shell.deps.engine.alerts.setRule(org.id, rule.name, input, author);
  } catch (error) {
    return print(c, shell, what, { typed, problems: problemsIn(error) }, 422);
  }
  return go(`${ruleHref(rule.name, name, org.name)}&news=saved#limits`);
}

function knownRule(c: BoardContext): Rule {
  const rule = ruleOf(c.req.param("rule") ?? "");
  if (rule !== undefined) return rule;
  throw new PageError(404, "No such rule", "The page of alerts lists the rules that there are.");
}

const nameIn = (params: URLSearchParams) => clipText(params.get("name") ?? "", NAME_MAX);

async function ruleFor({ deps }: Shell, rule: Rule, org: number, name: string) {
  const all = await readRules(deps.database.reads, org, name);
  return all.find((one) => one.rule === rule.name)!;
}

interface What {
  rule: Rule;
  /** Null: everywhere that the caller sees. */
  org: Organization | null;
  /** Empty: every job. */
  name: string;
}

interface Shown {
  typed?: Typed;
  problems?: Problems;
  isSaved?: boolean;
}

async function print(
  c: BoardContext,
  shell: Shell,
  { rule, org, name }: What,
  { typed, problems = {}, isSaved = false }: Shown,
  status = 200,
): Promise<Response> {
  const { scope } = c.get("caller");
  const { database, engine } = shell.deps;
  const orgs = org === null ? seenOrgs(scope) : [org.id];
  const ids = await evidenceNames(database.reads, orgs, { rule: rule.name, name });
  const evidence = await engine.alerts.evidence(rule, ids);
  const newest = { before: null, limit: EVENTS_SHOWN, rule: rule.name };
  const events = await readAlertEvents(database.reads, orgs, newest);
  const seen = seenBy(shell, scope);
  const whose = org ?? alone(seen);
  const limits = whose && {
    ofOrg: await ruleFor(shell, rule, whose.id, ""),
    held: await ruleFor(shell, rule, whose.id, name),
  };
  const model = {
    ...ruleModel({ rule, name, evidence, events, showsOrg: seen.length !== 1 }),
    orgs: seen.length > 1 ? seen.map((one) => one.name).sort() : [],
    org: whose?.name ?? "",
    limits:
      limits &&
      limitsModel(rule, limits, {
        ...{ org: whose.name, name, typed, problems, isSaved },
        operates: may(scope, whose.id, "operate"),
      }),
  };
  return shell.page(c, "alerts/rule", model, { title: rule.name, nav: "alerts", status });
}
