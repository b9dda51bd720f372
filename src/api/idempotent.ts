/** The `Idempotency-Key` header around a POST. */
import type { Receipt } from "../engine/engine.ts";
import { type Idempotency, type Outcome, receiptFor } from "../engine/idempotency.ts";
import type { Caller } from "./deps.ts";
import { ApiProblem } from "./problem.ts";
import { invalid } from "./query.ts";
import type { Reply } from "./route.ts";

const HEADER = "idempotency-key";
/** As in the IETF draft: a token or a quoted string, in practice a uuid. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Names the request by its key, or undefined where it has none. Throws for a malformed one. */
export function receiptOf(
  secret: string,
  request: Request,
  caller: Caller,
  body: Uint8Array,
): Receipt | undefined {
  const key = request.headers.get(HEADER);
  if (key === null) return undefined;
  if (!KEY.test(key)) {
    const message = "must be 1 to 255 visible ASCII characters";
    throw invalid([{ path: "Idempotency-Key", in: "header", message }]);
  }
  const { pathname, search } = new URL(request.url);
  const parts = [request.method, pathname + search, body];
  return receiptFor(secret, identityOf(caller), key, parts);
}

/** Names are no identity: two people may have one, and a token must not get its owner's answers. */
function identityOf({ author, credential }: Caller): string {
  if (credential.token !== null) return `token:${credential.token}`;
  return credential.person === null ? author.name : `person:${credential.person}`;
}

export interface Once {
  idempotency: Idempotency;
  receipt: Receipt;
  /** How a submission is answered again from its receipt; without it the work may be repeated. */
  fromReceipt: ((receipt: unknown) => Promise<Reply>) | undefined;
}

/** Problems of the caller's making are answers too, and are replayed; our own faults are not. */
export async function answerOnce(
  { idempotency, receipt, fromReceipt }: Once,
  handle: () => Promise<Reply>,
): Promise<Reply> {
  let once: object | undefined;
  const work = async () => {
    const reply = await handle();
    if (reply instanceof Response) throw new Error("a streamed answer cannot be kept");
    once = reply.once;
    return { status: reply.status, body: reply.body, kept: reply.kept === true };
  };
  const outcome =
    fromReceipt === undefined
      ? await idempotency.once(receipt, work, (answer) => answer.status < 500)
      : await idempotency.withReceipt(receipt, work);
  const reply = await toReply(outcome, fromReceipt);
  const isFirst = outcome.kind === "answer" && !outcome.replayed;
  return once === undefined || !isFirst ? reply : { ...reply, once };
}

async function toReply(
  outcome: Outcome,
  fromReceipt: Once["fromReceipt"],
): Promise<Exclude<Reply, Response>> {
  const headers = { "idempotent-replayed": "true" };
  switch (outcome.kind) {
    case "answer":
      return { ...outcome.answer, ...(outcome.replayed ? { headers } : {}) };
    case "receipt": {
      const reply = await fromReceipt?.(outcome.receipt);
      if (reply === undefined || reply instanceof Response) break;
      return { ...reply, headers };
    }
    case "mismatch":
      throw new ApiProblem("key_reused", "This Idempotency-Key came with another request before.");
  }
  throw new ApiProblem("in_progress", "The first request with this key is still in work.", {
    headers: { "retry-after": "1" },
  });
}
