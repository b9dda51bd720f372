/** One try to tell a channel something. */
import type { AlertMessage } from "../../../core/alerts/message.ts";
import type { ChannelRow } from "../../../db/statements/alerts/channels.ts";
import { post } from "./http_post.ts";
import { type MailSettings, sendMail } from "./mail.ts";
import { signedHeaders } from "./signature.ts";
import { slackPayload } from "./slack.ts";

export interface SendSettings {
  mail: MailSettings | null;
  /** Channels of organizations may reach private networks too. */
  allowsPrivate: boolean;
  /** Of one mail, milliseconds; a test may have less. */
  mailDeadlineMs?: number;
}

export type Sent =
  | { ok: true }
  /** `isFinal`: it is of no use to try again. */
  | { ok: false; error: string; isFinal: boolean };

export interface Sending {
  /** The same at every try. */
  id: string;
  /** The message as it was written: what is signed are its bytes. */
  text: string;
}

const TIMEOUT_MS = 10_000;
/** All steps together: far below the time for which a try is taken. */
const MAIL_DEADLINE_MS = 30_000;
const SAID_MAX = 200;

export async function send(
  channel: ChannelRow,
  { id, text }: Sending,
  settings: SendSettings,
): Promise<Sent> {
  try {
    const message = JSON.parse(text) as AlertMessage;
    if (channel.kind !== "email") return await sendWeb(channel, { id, text }, message, settings);
    if (settings.mail === null) {
      return failed("This server sends no e-mail: set SIGNALBOX_SMTP_URL.", false);
    }
    const mail = { id, addresses: channel.addresses ?? [], message };
    await sendMail(settings.mail, mail, settings.mailDeadlineMs ?? MAIL_DEADLINE_MS);
    return { ok: true };
  } catch (error) {
    return failed(sentence(error instanceof Error ? error.message : String(error)), false);
  }
}

async function sendWeb(
  channel: ChannelRow,
  { id, text }: Sending,
  message: AlertMessage,
  settings: SendSettings,
): Promise<Sent> {
  const isSlack = channel.kind === "slack";
  const body = isSlack ? JSON.stringify(slackPayload(message)) : text;
  const seconds = Math.floor(Date.now() / 1_000);
  const headers = isSlack ? {} : signedHeaders(channel.secret ?? "", `msg_${id}`, seconds, body);
  const mayBePrivate = channel.may_be_private || settings.allowsPrivate;
  const asked = { url: channel.url ?? "", body, headers, mayBePrivate, timeoutMs: TIMEOUT_MS };
  const { status, text: said } = await post(asked);
  if (status >= 200 && status < 300) return { ok: true };
  if (status === 410) return failed("It answered 410: it is gone, and asked no more.", true);
  if (status >= 300 && status < 400) {
    return failed(
      `It answered ${status}: redirects are not followed, write the address it leads to.`,
      false,
    );
  }
  return failed(sentence(`It answered ${status}: ${said}`), false);
}

function failed(error: string, isFinal: boolean): Sent {
  return { ok: false, error, isFinal };
}

/** What others answered, as one line that can be kept and shown. */
function sentence(text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .toWellFormed();
  return line.length > SAID_MAX ? `${line.slice(0, SAID_MAX).toWellFormed()}…` : line;
}
