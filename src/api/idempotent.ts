/** The `Idempotency-Key` header around a POST. */
import type { Idempotency, Outcome } from "../engine/idempotency.ts";
import type { Caller } from "./deps.ts";
import { ApiProblem } from "./problem.ts";
import { invalid } from "./query.ts";
import type { Reply } from "./route.ts";

const HEADER = "idempotency-key";
/** As in the IETF draft: a token or a quoted string, in practice a uuid. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** The request's key, or null. Throws a problem for one that is malformed. */
export function idempotencyKey(request: Request): string | null {
  const key = request.headers.get(HEADER);
  if (key === null || KEY.test(key)) return key;
  const message = "must be 1 to 255 visible ASCII characters";
  throw invalid([{ path: "Idempotency-Key", in: "header", message }]);
}

export interface IdempotentCall {
  idempotency: Idempotency;
  key: string;
  caller: Caller;
  request: Request;
  body: Uint8Array;
}

/** Problems of the caller's making are answers too, and are replayed; our own faults are not. */
export async function answerOnce(
  { idempotency, key, caller, request, body }: IdempotentCall,
  handle: () => Promise<Reply>,
): Promise<Reply> {
  const { pathname, search } = new URL(request.url);
  const outcome = await idempotency.once(
    { caller: caller.actor, key, parts: [request.method, pathname + search, body] },
    async () => {
      const reply = await handle();
      if (reply instanceof Response) throw new Error("a streamed answer cannot be kept");
      return { status: reply.status, body: reply.body };
    },
    (answer) => answer.status < 500,
  );
  return toReply(outcome);
}

function toReply(outcome: Outcome): Reply {
  switch (outcome.kind) {
    case "answer":
      return {
        ...outcome.answer,
        ...(outcome.replayed ? { headers: { "idempotent-replayed": "true" } } : {}),
      };
    case "mismatch":
      throw new ApiProblem("key_reused", "This Idempotency-Key came with another request before.");
    case "in_progress":
      throw new ApiProblem("in_progress", "The first request with this key is still in work.", {
        headers: { "retry-after": "1" },
      });
    case "unknown":
      throw new ApiProblem(
        "conflict",
        "The server stopped while it worked on the first request with this key. " +
          "Look whether it was done, and use a new key.",
      );
  }
}
