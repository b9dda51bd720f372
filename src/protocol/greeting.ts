/** The first frame of a connection: a `hello`, with a token that opens something. */
import { TooManyAttempts } from "../accounts/refused.ts";
import type { Admission } from "../accounts/worker_access.ts";
import { type Hello, PROTOCOL_VERSION } from "../messages/frames.ts";
import { checkFrame, parseFrame } from "./decode.ts";
import type { Refusal } from "./refusal.ts";

export type Greeting = { ok: true; hello: Hello; admission: Admission } | ({ ok: false } & Refusal);

/** Null where the token is none; throws where nobody can say. */
export type Authorize = (token: string) => Promise<Admission | null>;

/** Tokens come before all else: a stranger learns nothing about the rest of the frame. */
export async function readGreeting(text: string, authorize: Authorize): Promise<Greeting> {
  const parsed = parseFrame(text);
  if (!parsed.ok) return parsed;
  const { type, token, protocol } = parsed.value as Record<string, unknown>;
  if (type !== "hello") {
    return { ok: false, code: "out_of_order", message: "The first frame must be hello." };
  }
  const shown = await show(token, authorize);
  if (!("admission" in shown)) return { ok: false, ...shown };
  if (protocol !== PROTOCOL_VERSION) {
    const message = `This server speaks version ${PROTOCOL_VERSION} of the protocol.`;
    return { ok: false, code: "unsupported_protocol", message };
  }
  const decoded = checkFrame(parsed.value, text);
  if (!decoded.ok) return decoded;
  const hello = decoded.frame as Hello;
  const { admission } = shown;
  const message = admission.refusal(hello);
  return message === null
    ? { ok: true, hello, admission }
    : { ok: false, code: "not_allowed", message };
}

async function show(
  token: unknown,
  authorize: Authorize,
): Promise<{ admission: Admission } | Refusal> {
  try {
    const admission = typeof token === "string" ? await authorize(token) : null;
    if (admission !== null) return { admission };
    return { code: "unauthorized", message: "This is no worker token." };
  } catch (error) {
    if (error instanceof TooManyAttempts) {
      return { code: "too_many_attempts", message: error.message };
    }
    return { code: "unavailable", message: "The token cannot be checked now: try again." };
  }
}
