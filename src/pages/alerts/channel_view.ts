/** A channel, ready to print. Pure. */
import type { ChannelView } from "../../web/alerts/channels.ts";
import { KIND_WORDS, SEVERITY_WORDS } from "./channel_form.ts";
import { HOME } from "./whose.ts";

export const CHANNELS = `${HOME}/channels`;

/** With its organization in the address; without one it is the instance's. `news`: what has become of it. */
export function channelHref(
  { id, org }: Pick<ChannelView, "id" | "org">,
  { step = "", news = "" }: { step?: "" | "/test" | "/delete"; news?: string } = {},
): string {
  const query = new URLSearchParams({ ...(org === null ? {} : { org }), ...(news && { news }) });
  return `${CHANNELS}/${id}${step}${query.size === 0 ? "" : `?${query}`}`;
}

export function channelFacts(channel: ChannelView) {
  const { id, name, kind, severity, url, addresses, enabled } = channel;
  return {
    ...{ id, name, enabled, org: channel.org ?? "every organization", href: channelHref(channel) },
    ...{ kind: KIND_WORDS[kind], hears: SEVERITY_WORDS[severity] },
    to: url ?? (addresses ?? []).join(", "),
    last: lastOf(channel.last_delivery),
    made: { at: Date.parse(channel.created_at), by: channel.created_by },
    changed: { at: Date.parse(channel.updated_at), by: channel.updated_by },
  };
}

/** The newest message of alerts; one that was sent to try the channel is kept nowhere. */
function lastOf(last: ChannelView["last_delivery"]) {
  if (last === null) return null;
  const { state, attempts, error } = last;
  const tries = attempts === 1 ? "once" : `${attempts} times`;
  const words = {
    delivered: "arrived",
    given_up: "given up",
    waiting: attempts === 0 ? "waits to be sent" : `tried ${tries}, goes on`,
  }[state];
  const tone =
    state === "delivered" ? "" : error === null ? "" : state === "given_up" ? "bad" : "warn";
  return {
    at: Date.parse(last.at),
    words,
    tone,
    error: state === "delivered" ? "" : (error ?? ""),
  };
}
