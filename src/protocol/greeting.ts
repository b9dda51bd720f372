/** The first frame of a connection: a `hello`, with a token that opens something. */
import type { WorkerGrant } from "../engine/engine.ts";
import { type Hello, PROTOCOL_VERSION } from "../messages/frames.ts";
import { checkFrame, parseFrame } from "./decode.ts";
import type { Refusal } from "./refusal.ts";

export type Greeting = { ok: true; hello: Hello; grant: WorkerGrant } | ({ ok: false } & Refusal);

/** Tokens come before all else: a stranger learns nothing about the rest of the frame. */
export function readGreeting(
  text: string,
  authorize: (token: string) => WorkerGrant | null,
): Greeting {
  const parsed = parseFrame(text);
  if (!parsed.ok) return parsed;
  const { type, token, protocol } = parsed.value as Record<string, unknown>;
  if (type !== "hello") {
    return { ok: false, code: "out_of_order", message: "The first frame must be hello." };
  }
  const grant = typeof token === "string" ? authorize(token) : null;
  if (grant === null) {
    return { ok: false, code: "unauthorized", message: "This is no worker token." };
  }
  if (protocol !== PROTOCOL_VERSION) {
    const message = `This server speaks version ${PROTOCOL_VERSION} of the protocol.`;
    return { ok: false, code: "unsupported_protocol", message };
  }
  const decoded = checkFrame(parsed.value, text);
  return decoded.ok ? { ok: true, hello: decoded.frame as Hello, grant } : decoded;
}
