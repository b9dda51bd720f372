/** Channels: of an organization, and (without one) of the instance, which hear of every organization. */
import { z } from "zod";
import { readChannelViews } from "../../web/alerts/channels.ts";
import { inOrg, superusersOnly } from "../allowed.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { orgParams } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { tag } from "./routes.ts";
import { channel, channelInput, channelPatch, newChannel, tried } from "./schemas.ts";

type One = { org: string; id: string };

function channelRoutesOf(of: "org" | "all"): Route[] {
  const base = of === "org" ? "/orgs/{org}/alert-channels" : "/alert-channels";
  const params = (of === "org" ? orgParams : z.strictObject({})) as typeof orgParams;
  const id = z.uuid().toLowerCase();
  const oneParams = (of === "org"
    ? orgParams.extend({ id })
    : z.strictObject({ id })) as unknown as z.ZodType<One>;
  const allow = of === "org" ? inOrg("operate") : superusersOnly;
  const where = of === "org" ? "of an organization" : "of the instance, for superusers";
  const whose = (deps: ApiDeps, caller: Caller, org: string) =>
    of === "org" ? orgOf(deps, caller, org, "operate").id : null;
  const seen = async (deps: ApiDeps, org: number | null, one: string) => {
    const [found] = await readChannelViews(deps.database.reads, org, one);
    if (found === undefined) throw notFound("channel", one);
    return found;
  };
  const byOf = ({ author, scope }: Caller) => ({ actor: author, isTrusted: scope.isSuperuser });

  const list = route({
    method: "get",
    path: base,
    tag,
    summary: `Channels ${where}`,
    allow,
    params,
    answers: { 200: { description: "By name", schema: z.object({ items: z.array(channel) }) } },
    handle: async ({ params: { org }, caller, deps }) =>
      ok({ items: await readChannelViews(deps.database.reads, whose(deps, caller, org)) }),
  });
  const create = route({
    method: "post",
    path: base,
    tag,
    summary: `Make a channel ${where}`,
    allow,
    params,
    body: channelInput,
    answers: { 201: { description: "The channel, with its secret", schema: newChannel } },
    handle: async ({ params: { org }, body, caller, deps }) => {
      const own = whose(deps, caller, org);
      const made = await deps.engine.alerts.createChannel(own, body, byOf(caller));
      const shown = { ...(await seen(deps, own, made.id)), secret: null };
      return { status: 201, body: shown, once: { secret: made.secret } };
    },
  });
  const show = route({
    method: "get",
    path: `${base}/{id}`,
    tag,
    summary: "One channel, with its last delivery",
    allow,
    params: oneParams,
    answers: { 200: { description: "The channel", schema: channel } },
    handle: async ({ params, caller, deps }) =>
      ok(await seen(deps, whose(deps, caller, params.org), params.id)),
  });
  const change = route({
    method: "patch",
    path: `${base}/{id}`,
    tag,
    summary: "Change a channel",
    description:
      "What is not named stays. Its secret stays too: for another one, make another channel.",
    allow,
    params: oneParams,
    body: channelPatch,
    answers: { 200: { description: "The channel", schema: channel } },
    handle: async ({ params, body, caller, deps }) => {
      const own = whose(deps, caller, params.org);
      await seen(deps, own, params.id);
      await deps.engine.alerts.changeChannel(params.id, body, byOf(caller));
      return ok(await seen(deps, own, params.id));
    },
  });
  const remove = route({
    method: "delete",
    path: `${base}/{id}`,
    tag,
    summary: "Remove a channel",
    description: "What waits to be told to it is forgotten.",
    allow,
    params: oneParams,
    body: reasonInput,
    bodyOptional: true,
    answers: { 200: { description: "The channel as it was", schema: channel } },
    handle: async ({ params, body, caller, deps }) => {
      const was = await seen(deps, whose(deps, caller, params.org), params.id);
      await deps.engine.alerts.removeChannel(params.id, caller.author, body.reason);
      return ok(was);
    },
  });
  const test = route({
    method: "post",
    path: `${base}/{id}/test`,
    tag,
    summary: "Send a test message now",
    description: "Tried once; the answer says how it went.",
    allow,
    params: oneParams,
    answers: { 200: { description: "How it went", schema: tried } },
    handle: async ({ params, caller, deps }) => {
      await seen(deps, whose(deps, caller, params.org), params.id);
      const sent = await deps.engine.alerts.testChannel(params.id, caller.author);
      return ok({ delivered: sent.ok, error: sent.ok ? null : sent.error });
    },
  });
  return [list, create, show, change, remove, test];
}

export const alertChannelRoutes: readonly Route[] = [
  ...channelRoutesOf("org"),
  ...channelRoutesOf("all"),
];
