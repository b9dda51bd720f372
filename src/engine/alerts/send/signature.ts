/** The signature of Standard Webhooks: HMAC-SHA256 over id, time and body, with a secret of the channel's own. */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";

const PREFIX = "whsec_";

export function makeSecret(): string {
  return PREFIX + randomBytes(32).toString("base64");
}

/** `seconds`: when it is sent, since the epoch; receivers refuse old ones. */
export function signedHeaders(
  secret: string,
  id: string,
  seconds: number,
  body: string,
): Record<string, string> {
  const key = Buffer.from(secret.replace(PREFIX, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${signature}`,
  };
}
