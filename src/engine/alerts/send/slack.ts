/**
 * A message as an incoming webhook of Slack takes it. Everything that people name stands in plain text, which
 * Slack does not read for mentions and links; the fallback text, which it may read, is escaped besides.
 */
import { type AlertMessage, headline, linesOf } from "../../../core/alerts/message.ts";

/** Blocks of one message, and letters of one, that Slack takes. */
const BLOCKS_MAX = 45;
const TEXT_MAX = 2_900;
const HEAD_MAX = 145;

export function slackPayload(message: AlertMessage): object {
  const head = clip(headline(message), HEAD_MAX);
  const parts = linesOf(message)
    .join("\n")
    .split("\n\n")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const shown = parts.slice(0, BLOCKS_MAX);
  const rest = parts.length - shown.length;
  if (rest > 0) shown.push(`And ${rest} more.`);
  return {
    text: clip(escaped(head), TEXT_MAX),
    ...{
      mrkdwn: false,
      link_names: false,
      parse: "none",
      unfurl_links: false,
      unfurl_media: false,
    },
    blocks: [
      { type: "header", text: plain(head) },
      ...shown.map((part) => ({ type: "section", text: plain(clip(part, TEXT_MAX)) })),
    ],
  };
}

function plain(text: string): object {
  return { type: "plain_text", text, emoji: false };
}

/** As Slack asks: nothing that is left can begin a mention or a link. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;
}
