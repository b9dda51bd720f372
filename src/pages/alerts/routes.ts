/** `/board/alerts`: what fires, silences, history, rules; and a runbook with live figures for each rule. */
import type { Organization } from "../../accounts/directory.ts";
import { may, type OrgFilter, orgsThatMay, seenOrgs } from "../../core/scope.ts";
import { silenceInput } from "../../engine/alerts/input.ts";
import { readAlertEvents, readAlertViews, readSilences } from "../../web/alerts/rows.ts";
import { readRules } from "../../web/alerts/rules.ts";
import { PageError } from "../../web/errors.ts";
import { type BoardContext, type BoardPage, isHtmx, type Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import {
  askDeletion,
  changeChannel,
  deleteChannel,
  showChannel,
  tryChannel,
} from "./channel_page.ts";
import { makeChannel, readChannelsFor, showChannels, showNewChannel } from "./channels.ts";
import { setLimits, showRule } from "./rule_page.ts";
import { liveModel, pageModel } from "./view.ts";
import { alone, askedOrg, HOME, ownForm, seenBy } from "./whose.ts";

const EVENTS_SHOWN = 50;
const SILENCES_SHOWN = 30;
const HOUR_SECONDS = 3_600;

export const alertsPage: BoardPage = {
  id: "alerts",
  nav: { label: "Alerts", href: HOME, icon: "alert", group: "Now" },
  mount: (app, shell) => {
    app.get(HOME, (c: BoardContext) => show(c, shell));
    app.get(`${HOME}/rules/:rule`, (c: BoardContext) => showRule(c, shell));
    app.post(`${HOME}/rules/:rule/limits`, (c: BoardContext) => setLimits(c, shell));
    app.post(`${HOME}/silences`, (c: BoardContext) => silence(c, shell));
    app.post(`${HOME}/silences/:id/end`, (c: BoardContext) => endSilence(c, shell));
    app.get(`${HOME}/channels`, (c: BoardContext) => showChannels(c, shell));
    app.get(`${HOME}/channels/new`, (c: BoardContext) => showNewChannel(c, shell));
    app.post(`${HOME}/channels/new`, (c: BoardContext) => makeChannel(c, shell));
    app.get(`${HOME}/channels/:id`, (c: BoardContext) => showChannel(c, shell));
    app.post(`${HOME}/channels/:id`, (c: BoardContext) => changeChannel(c, shell));
    app.post(`${HOME}/channels/:id/test`, (c: BoardContext) => tryChannel(c, shell));
    app.get(`${HOME}/channels/:id/delete`, (c: BoardContext) => askDeletion(c, shell));
    app.post(`${HOME}/channels/:id/delete`, (c: BoardContext) => deleteChannel(c, shell));
  },
};

async function show(c: BoardContext, shell: Shell): Promise<Response> {
  const { searchParams } = new URL(c.req.url);
  const { scope } = c.get("caller");
  const { database, engine } = shell.deps;
  const { reads } = database;
  const now = engine.now();
  const org = askedOrg(shell, scope, searchParams.get("org") ?? "");
  const filter: OrgFilter = org === null ? seenOrgs(scope) : [org.id];
  const place = { org: org?.name ?? "" };
  const orgs = seenBy(shell, scope);
  const alerts = await readAlertViews(reads, filter, now);
  if (isHtmx(c)) {
    const operated = orgs.filter(({ id }) => may(scope, id, "operate")).map(({ name }) => name);
    return shell.fragment(c, "alerts/_live", liveModel({ place, orgs, alerts }, operated));
  }
  const before = positionOf(searchParams.get("before"));
  const asked = { before, limit: EVENTS_SHOWN + 1 };
  const events = await readAlertEvents(reads, filter, asked);
  const shown = events.slice(0, EVENTS_SHOWN);
  const older = new URLSearchParams({ ...(org ? place : {}), before: shown.at(-1)?.id ?? "" });
  const silences = await readSilences(reads, filter, { now, limit: SILENCES_SHOWN });
  const rules = await readRules(reads, (org ?? alone(orgs))?.id ?? null, "");
  const model = pageModel({
    ...{ place, orgs, scope, alerts, silences, events: shown, rules },
    channels: await channelsFor(c, shell, org),
    older: events.length > EVENTS_SHOWN ? `${HOME}?${older}#history` : "",
  });
  return shell.page(c, "alerts/index", model, { title: "Alerts", nav: "alerts" });
}

/** Null for who operates nothing here. */
async function channelsFor(c: BoardContext, shell: Shell, org: Organization | null) {
  const { scope } = c.get("caller");
  const operated = orgsThatMay(scope, "operate");
  const mayAny = org === null ? operated.length > 0 : may(scope, org.id, "operate");
  return mayAny ? readChannelsFor(shell, scope, org?.id ?? null) : null;
}

async function silence(c: BoardContext, shell: Shell): Promise<Response> {
  const fields = await ownForm(c);
  const org = operatedOrg(c, shell, fields.get("org") ?? "");
  const hours = Number(fields.get("hours") ?? "");
  const parsed = silenceInput.safeParse({
    rule: fields.get("rule") || null,
    job_name: (fields.get("job_name") ?? "").trim() || null,
    seconds: Number.isFinite(hours) ? Math.round(hours * HOUR_SECONDS) : 0,
    reason: fields.get("reason") ?? "",
  });
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const what = `${first?.path.join(".") ?? "It"} ${first?.message ?? "is wrong"}.`;
    throw new PageError(422, "Not silenced", what.replace(/^seconds/, "The time"));
  }
  await shell.deps.engine.alerts.silence(org.id, parsed.data, c.get("caller").author);
  return go(`${HOME}#silences`);
}

async function endSilence(c: BoardContext, shell: Shell): Promise<Response> {
  await ownForm(c);
  const { scope, author } = c.get("caller");
  const { database, directory, engine } = shell.deps;
  const id = c.req.param("id") ?? "";
  const nothing = new PageError(404, "No such silence", "There is none that you may see.");
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw nothing;
  const asked = { now: engine.now(), limit: 1, id };
  const [found] = await readSilences(database.reads, seenOrgs(scope), asked);
  if (found === undefined) throw nothing;
  const org = found.org === null ? null : (directory.byName(found.org)?.id ?? null);
  const mayEnd = org === null ? scope.isSuperuser : may(scope, org, "operate");
  if (!mayEnd) throw new PageError(403, "Not yours to end", "Operators of its organization may.");
  await engine.alerts.endSilence(id, author);
  return go(`${HOME}#silences`);
}

function operatedOrg(c: BoardContext, shell: Shell, name: string): Organization {
  const { scope } = c.get("caller");
  const org = askedOrg(shell, scope, name);
  if (org === null) throw new PageError(422, "Not silenced", "Say in which organization.");
  if (may(scope, org.id, "operate")) return org;
  throw new PageError(403, "Not yours to silence", `Operators of ${org.name} may.`);
}

/** A position that is none begins with the newest. */
function positionOf(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
