/** From a request to an answer, the same way for every route: who, what, handle, print. */
import type { Idempotency } from "../engine/idempotency.ts";
import { guarded } from "../web/guarded_stream.ts";
import { readBody } from "./body.ts";
import type { ApiDeps, Caller } from "./deps.ts";
import { answerOnce, receiptOf } from "./idempotent.ts";
import { ApiProblem, toProblem } from "./problem.ts";
import { pathObject, queryObject, validate } from "./query.ts";
import type { Reply, Route } from "./route.ts";

export interface Serving {
  deps: ApiDeps;
  idempotency: Idempotency;
}

/** What came in, and from where. */
export interface Incoming {
  request: Request;
  /** The peer's, for the audit log and the limits. */
  address: string | undefined;
}

/** The caller, or a 401 that says how to be one. Strangers pass only where a route is for them too. */
export async function requireCaller(
  deps: ApiDeps,
  { request, address }: Incoming,
  forStrangers = false,
): Promise<Caller> {
  const caller = await deps.access.authenticate(request, address);
  if (caller !== null && (forStrangers || caller.via !== "nobody")) return caller;
  throw new ApiProblem("unauthorized", "This needs a valid token.", {
    headers: { "www-authenticate": 'Bearer realm="signalbox"' },
  });
}

function isForStrangers({ forStrangers }: Route, request: Request): boolean {
  if (typeof forStrangers !== "function") return forStrangers ?? false;
  return forStrangers(new URL(request.url));
}

/** Answers one request. Never rejects: whatever goes wrong is a problem document. */
export async function serveRoute(
  route: Route,
  incoming: Incoming,
  rawParams: Record<string, string>,
  serving: Serving,
): Promise<Response> {
  const { deps } = serving;
  const { request } = incoming;
  try {
    const caller = await requireCaller(deps, incoming, isForStrangers(route, request));
    const params = route.params ? validate(route.params, pathObject(rawParams), "path") : {};
    const query = validateQuery(route, request);
    await route.allow?.({ params, caller, deps });
    if (route.method === "get") {
      const input = { params, query, body: undefined, caller, request, deps };
      const answer = toResponse(await route.handle(input));
      const response = guarded(deps.access, caller, request, answer);
      return withoutBody(request, response);
    }
    return toResponse(await handleChange(route, { params, query, caller, request }, serving));
  } catch (error) {
    return failure(deps, request, error);
  }
}

export function failure(deps: ApiDeps, request: Request, error: unknown): Response {
  const report = (err: unknown, errorId: string) => {
    const { pathname } = new URL(request.url);
    deps.log.error({ err, errorId, method: request.method, path: pathname }, "the API failed");
  };
  return toProblem(error, report).toResponse();
}

interface Validated {
  params: unknown;
  query: unknown;
  caller: Caller;
  request: Request;
}

async function handleChange(route: Route, input: Validated, serving: Serving): Promise<Reply> {
  const { request, caller } = input;
  const { deps, idempotency } = serving;
  const { value, bytes } = await readBody(request, route.bodyOptional ?? false);
  // What the others ask for, they may ask for twice.
  const receipt =
    route.method === "post" ? receiptOf(deps.requestKey, request, caller, bytes) : undefined;
  const body = route.body ? validate(route.body, value, "body") : undefined;
  const handle = async () => route.handle({ ...input, body, deps, receipt });
  if (receipt === undefined) return handle();
  const { fromReceipt } = route;
  // A submission that fails leaves no receipt: it is looked at anew.
  if (fromReceipt === undefined) {
    return answerOnce({ idempotency, receipt, fromReceipt }, () => kept(handle));
  }
  const again = (content: unknown) => fromReceipt(content, { caller, deps });
  return answerOnce({ idempotency, receipt, fromReceipt: again }, handle);
}

/** What the caller did wrong is the answer, and is kept as one. */
async function kept(handle: () => Promise<Reply>): Promise<Reply> {
  try {
    return await handle();
  } catch (error) {
    let ours = false;
    const problem = toProblem(error, () => {
      ours = true;
    });
    if (ours || problem.status >= 500) throw error;
    return { status: problem.status, body: problem.toJSON(), headers: { ...problem.headers } };
  }
}

function validateQuery(route: Route, request: Request): unknown {
  const url = new URL(request.url);
  if (route.query) return validate(route.query, queryObject(url, route.query), "query");
  const [first] = url.searchParams.keys();
  if (first === undefined) return {};
  throw new ApiProblem("invalid", `${first}: is not known here`, {
    errors: [{ path: first, in: "query", message: "is not known here" }],
  });
}

/** HEAD runs the handler of GET: a stream that nobody will read must end its work. */
async function withoutBody(request: Request, response: Response): Promise<Response> {
  if (request.method !== "HEAD") return response;
  await response.body?.cancel();
  return new Response(null, response);
}

function toResponse(reply: Reply): Response {
  if (reply instanceof Response) return reply;
  const type = reply.status >= 400 ? "application/problem+json" : "application/json";
  const body = reply.once === undefined ? reply.body : { ...(reply.body as object), ...reply.once };
  return new Response(JSON.stringify(body), {
    status: reply.status,
    headers: { "content-type": type, "cache-control": "no-store", ...reply.headers },
  });
}
