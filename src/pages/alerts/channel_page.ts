/** One channel: how it does, and the forms that change it, try it and delete it. */
import { clipText } from "../../core/storable.ts";
import { NotFound } from "../../engine/engine.ts";
import { type ChannelView, readChannelViews } from "../../web/alerts/channels.ts";
import { headProblem, type Problems, problemsIn, type Typed } from "../../web/forms/fields.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { channelFields, channelPatchIn, typedChannel, typedOf } from "./channel_form.ts";
import { CHANNELS, channelFacts, channelHref } from "./channel_view.ts";
import { demandedLevel, noChannel, ownForm } from "./whose.ts";

const REASON_MAX = 200;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function showChannel(c: BoardContext, shell: Shell): Promise<Response> {
  const channel = await demandedChannel(c, shell);
  const news = new URL(c.req.url).searchParams.get("news") ?? "";
  return print(c, shell, channel, { news });
}

export async function changeChannel(c: BoardContext, shell: Shell): Promise<Response> {
  const form = await ownForm(c);
  const channel = await demandedChannel(c, shell);
  const { author, scope } = c.get("caller");
  const typed = { ...typedChannel(form), kind: channel.kind };
  const { input, problems } = channelPatchIn(typed, channel.kind);
  if (problems !== null) return print(c, shell, channel, { typed, problems }, 422);
  const by = { actor: author, isTrusted: scope.isSuperuser };
  try {
    await shell.deps.engine.alerts.changeChannel(channel.id, input, by);
  } catch (error) {
    if (error instanceof NotFound) throw noChannel(channel.id);
    return print(c, shell, channel, { typed, problems: problemsIn(error) }, 422);
  }
  return go(channelHref(channel, { news: "saved" }));
}

export async function tryChannel(c: BoardContext, shell: Shell): Promise<Response> {
  await ownForm(c);
  const channel = await demandedChannel(c, shell);
  const sent = await shell.deps.engine.alerts.testChannel(channel.id, c.get("caller").author);
  const tried = sent.ok ? { error: "" } : { error: sent.error };
  return print(c, shell, channel, { tried });
}

export async function askDeletion(c: BoardContext, shell: Shell): Promise<Response> {
  const channel = await demandedChannel(c, shell);
  const model = { row: channelFacts(channel), action: channelHref(channel, { step: "/delete" }) };
  const title = `Delete ${channel.name}?`;
  return shell.page(c, "alerts/delete_channel", model, { title, nav: "alerts" });
}

export async function deleteChannel(c: BoardContext, shell: Shell): Promise<Response> {
  const form = await ownForm(c);
  const channel = await demandedChannel(c, shell);
  const reason = clipText((form.get("reason") ?? "").trim(), REASON_MAX) || undefined;
  await shell.deps.engine.alerts.removeChannel(channel.id, c.get("caller").author, reason);
  return go(`${CHANNELS}?news=deleted`);
}

/** Just made: with its secret, this once. */
export async function printChannel(
  c: BoardContext,
  shell: Shell,
  { id, org }: Pick<ChannelView, "id" | "org">,
  shown: { secret: string },
  status: number,
): Promise<Response> {
  return print(c, shell, await channelOf(shell, org, id), { ...shown, news: "made" }, status);
}

async function demandedChannel(c: BoardContext, shell: Shell): Promise<ChannelView> {
  const { scope } = c.get("caller");
  const org = demandedLevel(shell, scope, new URL(c.req.url).searchParams.get("org") ?? "");
  return channelOf(shell, org?.name ?? null, (c.req.param("id") ?? "").toLowerCase());
}

async function channelOf({ deps }: Shell, org: string | null, id: string): Promise<ChannelView> {
  const whose = org === null ? null : deps.directory.byName(org)!.id;
  const rows = UUID.test(id) ? await readChannelViews(deps.database.reads, whose, id) : [];
  if (rows[0] === undefined) throw noChannel(id);
  return rows[0];
}

interface Shown {
  typed?: Typed;
  problems?: Problems;
  /** What has just become of it. */
  news?: string;
  secret?: string;
  /** A message that was sent to try it; without an error it arrived. */
  tried?: { error: string };
}

function print(
  c: BoardContext,
  shell: Shell,
  channel: ChannelView,
  { typed = typedOf(channel), problems = {}, news = "", secret = "", tried }: Shown,
  status = 200,
): Response {
  const fields = channelFields(typed, problems, channel);
  const model = {
    ...{ row: channelFacts(channel), fields, news, secret, tried: tried ?? null },
    isMail: channel.kind === "email",
    problem: headProblem(problems, fields.all),
    action: channelHref(channel),
    tries: channelHref(channel, { step: "/test" }),
    deletes: channelHref(channel, { step: "/delete" }),
  };
  return shell.page(c, "alerts/channel", model, { title: channel.name, nav: "alerts", status });
}
