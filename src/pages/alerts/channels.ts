/** `/board/alerts/channels`: who is told of alerts, and the form that makes another channel. */
import { orgsThatMay, type Scope } from "../../core/scope.ts";
import { type ChannelView, readChannelsOf, SIDE_BY_SIDE_MAX } from "../../web/alerts/channels.ts";
import { demandedOrg, mayNot } from "../../web/forms/demanded_org.ts";
import { headProblem, type Problems, problemsIn, type Typed } from "../../web/forms/fields.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { channelFields, NEW_CHANNEL, newChannelIn, typedChannel } from "./channel_form.ts";
import { printChannel } from "./channel_page.ts";
import { CHANNELS, channelFacts, channelHref } from "./channel_view.ts";
import { demandedLevel, ownForm } from "./whose.ts";

/** Of the instance, in the choice of an organization. */
const EVERY = { value: "", label: "every organization" };

export async function showChannels(c: BoardContext, shell: Shell): Promise<Response> {
  const { scope } = c.get("caller");
  const params = new URL(c.req.url).searchParams;
  const asked = params.get("org") ?? "";
  const org = asked === "" ? null : demandedOrg(shell.deps, scope, asked, "operate");
  const operated = operatedNames(shell, scope);
  const channels = await readChannelsFor(shell, scope, org?.id ?? null);
  const model = {
    ...{ org: asked, orgs: operated.length > 1 ? operated : [] },
    showsOrg: operated.length > 1 || channels.some((channel) => channel.org === null),
    rows: channels.map((channel) => channelFacts(channel)),
    isCut: channels.length >= SIDE_BY_SIDE_MAX,
    wasDeleted: params.get("news") === "deleted",
    makes: `${CHANNELS}/new${asked === "" ? "" : `?${new URLSearchParams({ org: asked })}`}`,
  };
  return shell.page(c, "alerts/channels", model, { title: "Channels", nav: "alerts" });
}

/** As far as the caller may operate them; of one organization where one is named. */
export function readChannelsFor(
  { deps }: Shell,
  scope: Scope,
  org: number | null,
): Promise<ChannelView[]> {
  const all = { orgs: orgsThatMay(scope, "operate"), shared: scope.isSuperuser };
  const whose = org === null ? all : { orgs: [org], shared: false };
  return readChannelsOf(deps.database.reads, whose);
}

export function showNewChannel(c: BoardContext, shell: Shell): Response {
  const org = new URL(c.req.url).searchParams.get("org");
  return printNew(c, shell, NEW_CHANNEL, { org, problems: {} });
}

export async function makeChannel(c: BoardContext, shell: Shell): Promise<Response> {
  const { scope, author } = c.get("caller");
  const form = await ownForm(c);
  const asked = form.get("org") ?? new URL(c.req.url).searchParams.get("org") ?? "";
  const org = demandedLevel(shell, scope, asked);
  const typed = typedChannel(form);
  const { input, problems } = newChannelIn(typed);
  if (problems !== null) return printNew(c, shell, typed, { org: asked, problems }, 422);
  const by = { actor: author, isTrusted: scope.isSuperuser };
  try {
    const made = await shell.deps.engine.alerts.createChannel(org?.id ?? null, input, by);
    const channel = { id: made.id, org: org?.name ?? null };
    if (made.secret === null) return go(channelHref(channel, { news: "made" }));
    // A page of its own: a secret stands in no address.
    return printChannel(c, shell, channel, { secret: made.secret }, 201);
  } catch (error) {
    return printNew(c, shell, typed, { org: asked, problems: problemsIn(error) }, 422);
  }
}

/** Throws 403 where there are none. */
function operatedNames({ deps }: Shell, scope: Scope): string[] {
  const may = orgsThatMay(scope, "operate");
  const all = [...deps.directory.all].filter(({ id }) => may === "all" || may.includes(id));
  if (all.length === 0 && !scope.isSuperuser) throw mayNot("operate", "an organization");
  return all.map(({ name }) => name).sort();
}

interface NewShown {
  /** Null: nothing has been chosen yet. */
  org: string | null;
  problems: Problems;
}

function printNew(
  c: BoardContext,
  shell: Shell,
  typed: Typed,
  { org, problems }: NewShown,
  status = 200,
): Response {
  const { scope } = c.get("caller");
  const names = operatedNames(shell, scope).map((name) => ({ value: name, label: name }));
  const choices = scope.isSuperuser ? [...names, EVERY] : names;
  const chosen = choices.find(({ value }) => value === org) ?? choices[0];
  const fields = channelFields(typed, problems);
  const model = {
    ...{ fields, problem: headProblem(problems, fields.all) },
    orgs: choices.map((choice) => ({ ...choice, isChosen: choice === chosen })),
  };
  return shell.page(c, "alerts/new_channel", model, {
    ...{ title: "New channel", nav: "alerts", status },
  });
}
