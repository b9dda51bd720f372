/** Any error becomes a page, or a fragment for htmx, with a status, a sentence and a way out. */
import { randomBytes } from "node:crypto";
import { HTTPException } from "hono/http-exception";
import { Refused, TooManyAttempts, TooManyOpen } from "../accounts/refused.ts";
import { InvalidInput, NotFound } from "../engine/engine.ts";
import { LiveRefused } from "./live/hub.ts";
import { type BoardContext, isHtmx, type Shell } from "./shell.ts";

interface Trouble {
  status: number;
  title: string;
  detail: string;
  /** Names the log line of an error that is ours. */
  id: string | null;
  retryAfterSeconds?: number;
}

/** Thrown by a page: the reader did or named something that cannot be. */
export class PageError extends Error {
  readonly status: number;
  readonly title: string;
  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.name = "PageError";
    this.status = status;
    this.title = title;
  }
}

export function answerNotFound(c: BoardContext, shell: Shell): Response {
  return answer(c, shell, {
    status: 404,
    title: "Nothing stands here",
    detail: "There is no page at this address, or you may not see it.",
    id: null,
  });
}

export function answerError(c: BoardContext, shell: Shell, error: unknown): Response {
  const trouble = describe(error);
  if (trouble.id !== null) {
    shell.deps.log.error(
      { err: error, errorId: trouble.id, path: logged(c.req.path) },
      "a page failed",
    );
  }
  return answer(c, shell, trouble);
}

/** Of a form that is shown again with the sentence, too. */
export function refusedStatus({ kind }: Refused): number {
  return { forbidden: 403, not_found: 404, invalid: 422, conflict: 409 }[kind];
}

/** The path of an invitation is its secret. */
function logged(path: string): string {
  return path.replace(/^(\/invitations\/).*/, "$1…");
}

function describe(error: unknown): Trouble {
  if (error instanceof PageError) {
    return { status: error.status, title: error.title, detail: error.message, id: null };
  }
  if (error instanceof Refused) {
    return { status: refusedStatus(error), title: "Refused", detail: error.message, id: null };
  }
  if (error instanceof TooManyAttempts) {
    const { message: detail, retryAfterSeconds } = error;
    return { status: 429, title: "Too many attempts", detail, id: null, retryAfterSeconds };
  }
  if (error instanceof TooManyOpen) {
    const { status, message: detail, retryAfterSeconds } = error;
    return { status, title: "Too many at once", detail, id: null, retryAfterSeconds };
  }
  if (error instanceof NotFound) {
    return { status: 404, title: "Not found", detail: error.message, id: null };
  }
  if (error instanceof InvalidInput) {
    return { status: 422, title: "That cannot be done", detail: error.message, id: null };
  }
  if (error instanceof LiveRefused) {
    return { status: 503, title: "Not now", detail: error.message, id: null };
  }
  if (error instanceof HTTPException && error.status < 500) {
    return { status: error.status, title: "Refused", detail: error.message, id: null };
  }
  const id = randomBytes(5).toString("hex");
  if (isTooSlow(error)) {
    return {
      status: 503,
      title: "That took too long",
      detail: "The database did not answer in time. Narrow the filters, or try again in a moment.",
      id,
    };
  }
  return {
    status: 500,
    title: "Something broke on our side",
    detail: "Try again. If it happens once more, look for this id in the server's log.",
    id,
  };
}

/** PostgreSQL cancelled the statement (57014), or nothing answers there. */
function isTooSlow(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "57014" || code === "ECONNREFUSED" || code === "CONNECT_TIMEOUT";
}

function answer(c: BoardContext, shell: Shell, trouble: Trouble): Response {
  const { retryAfterSeconds } = trouble;
  const response = print(c, shell, trouble);
  return retryAfterSeconds === undefined ? response : toWait(response, retryAfterSeconds);
}

/** Says to programs too how long to wait. */
export function toWait(response: Response, seconds: number): Response {
  response.headers.set("retry-after", String(seconds));
  return response;
}

function print(c: BoardContext, shell: Shell, trouble: Trouble): Response {
  if (isHtmx(c)) return shell.fragment(c, "_shared/_trouble", trouble, trouble.status);
  if (!(c.req.header("accept") ?? "text/html").match(/text\/html|\*\/\*/)) {
    return new Response(`${trouble.title}. ${trouble.detail}\n`, { status: trouble.status });
  }
  const options = { title: trouble.title, status: trouble.status };
  return shell.page(c, "_layout/trouble", trouble, options);
}
