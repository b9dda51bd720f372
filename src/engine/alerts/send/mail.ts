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

/** Throws what the mail server said, or that `deadlineMs` is over. The message id stays the same at every try. */
export async function sendMail(
  { url, from }: MailSettings,
  { id, addresses, message }: { id: string; addresses: readonly string[]; message: AlertMessage },
  deadlineMs: number,
): Promise<void> {
  const times = {
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  };
  const signal = AbortSignal.timeout(deadlineMs);
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
      // The times above are those of one step, and a slow server takes many.
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw new Error(`it took longer than ${deadlineMs / 1_000} seconds`);
    throw error;
  } finally {
    transport.close();
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
