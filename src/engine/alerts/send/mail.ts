/** E-mail over SMTP. What people name goes into headers without line breaks, and nowhere as an address. */
import { createTransport } from "nodemailer";
import { type AlertMessage, headline, linesOf } from "../../../core/alerts/message.ts";

export interface MailSettings {
  /** `smtp://user:password@host:587`. */
  url: string;
  from: string;
}

const TIMEOUT_MS = 15_000;
const SUBJECT_MAX = 200;

/** Throws what the mail server said. The message id stays the same at every try. */
export async function sendMail(
  { url, from }: MailSettings,
  { id, addresses, message }: { id: string; addresses: readonly string[]; message: AlertMessage },
): Promise<void> {
  const times = {
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  };
  const transport = createTransport({ url, ...times });
  try {
    await transport.sendMail({
      from: oneLine(from),
      to: addresses.map((address) => ({ name: "", address })),
      subject: oneLine(headline(message)).slice(0, SUBJECT_MAX).toWellFormed(),
      text: `${linesOf(message).join("\n")}\n`,
      messageId: `<${id}@signalbox.invalid>`,
      headers: { "Auto-Submitted": "auto-generated" },
      ...{ disableFileAccess: true, disableUrlAccess: true },
    });
  } finally {
    transport.close();
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
