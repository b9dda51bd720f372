/** Channels: of an organization, and of the instance, which hear of every organization. */
import { z } from "zod";
import { readChannelViews } from "../../web/alerts/channels.ts";
import { listOf, wholeOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound } from "../lookup.ts";
import { ok, type Route, route } from "../route.ts";
import { type Level, levelsOf } from "./level.ts";
import { tag } from "./routes.ts";
import { channel, channelInput, channelPatch, newChannel, tried } from "./schemas.ts";

const byOf = ({ author, scope }: Caller) => ({ actor: author, isTrusted: scope.isSuperuser });

async function seen(deps: ApiDeps, org: number | null, id: string) {
  const [found] = await readChannelViews(deps.database.reads, org, id);
  if (found === undefined) throw notFound("channel", id);
  return found;
}

const list = (level: Level): Route =>
  route({
    method: "get",
    path: level.base,
    tag,
    summary: `Channels ${level.where}`,
    allow: level.allow,
    params: level.params,
    answers: {
      200: { description: "All of them (at most 100), by name", schema: listOf(channel) },
    },
    handle: async ({ params, caller, deps }) => {
      const org = level.whose(deps, caller, params.org);
      return ok(wholeOf(await readChannelViews(deps.database.reads, org)));
    },
  });

const create = (level: Level): Route =>
  route({
    method: "post",
    path: level.base,
    tag,
    summary: `Make a channel ${level.where}`,
    allow: level.allow,
    params: level.params,
    body: channelInput,
    answers: { 201: { description: "The channel, with its secret", schema: newChannel } },
    handle: async ({ params, body, caller, deps }) => {
      const org = level.whose(deps, caller, params.org);
      const made = await deps.engine.alerts.createChannel(org, body, byOf(caller));
      const shown = { ...(await seen(deps, org, made.id)), secret: null };
      return { status: 201, body: shown, once: { secret: made.secret } };
    },
  });

const show = (level: Level): Route =>
  route({
    method: "get",
    path: `${level.base}/{id}`,
    tag,
    summary: "One channel, with its last delivery",
    allow: level.allow,
    params: level.oneParams,
    answers: { 200: { description: "The channel", schema: channel } },
    handle: async ({ params, caller, deps }) =>
      ok(await seen(deps, level.whose(deps, caller, params.org), params.id)),
  });

const change = (level: Level): Route =>
  route({
    method: "patch",
    path: `${level.base}/{id}`,
    tag,
    summary: "Change a channel",
    description:
      "What is not named stays. Its secret stays too: for another one, make another channel.",
    allow: level.allow,
    params: level.oneParams,
    body: channelPatch,
    answers: { 200: { description: "The channel", schema: channel } },
    handle: async ({ params, body, caller, deps }) => {
      const org = level.whose(deps, caller, params.org);
      await seen(deps, org, params.id);
      await deps.engine.alerts.changeChannel(params.id, body, byOf(caller));
      return ok(await seen(deps, org, params.id));
    },
  });

const remove = (level: Level): Route =>
  route({
    method: "delete",
    path: `${level.base}/{id}`,
    tag,
    summary: "Remove a channel",
    description: "What waits to be told to it is forgotten.",
    allow: level.allow,
    params: level.oneParams,
    body: reasonInput,
    bodyOptional: true,
    answers: { 200: { description: "The channel as it was", schema: channel } },
    handle: async ({ params, body, caller, deps }) => {
      const was = await seen(deps, level.whose(deps, caller, params.org), params.id);
      await deps.engine.alerts.removeChannel(params.id, caller.author, body.reason);
      return ok(was);
    },
  });

const test = (level: Level): Route =>
  route({
    method: "post",
    path: `${level.base}/{id}/test`,
    tag,
    summary: "Send a test message now",
    description: "Tried once; the answer says how it went.",
    allow: level.allow,
    params: level.oneParams,
    body: z.strictObject({}),
    bodyOptional: true,
    answers: { 200: { description: "How it went", schema: tried } },
    handle: async ({ params, caller, deps }) => {
      await seen(deps, level.whose(deps, caller, params.org), params.id);
      const sent = await deps.engine.alerts.testChannel(params.id, caller.author);
      return ok({ delivered: sent.ok, error: sent.ok ? null : sent.error });
    },
  });

export const alertChannelRoutes: readonly Route[] = levelsOf("alert-channels").flatMap((level) =>
  [list, create, show, change, remove, test].map((of) => of(level)),
);
