/** Errors as RFC 9457 problem documents, and which error becomes which. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { Refused, TooManyAttempts, TooManyOpen } from "../accounts/refused.ts";
import { InvalidInput, NotFound } from "../engine/engine.ts";

export const fieldError = z
  .object({
    path: z.string().describe("JSON pointer into the body, or the name of a parameter"),
    in: z.enum(["body", "query", "path", "header"]),
    message: z.string(),
  })
  .meta({ id: "FieldError" });
export type FieldError = z.infer<typeof fieldError>;

export const problem = z
  .object({
    type: z.string().describe("Names the kind of problem; resolves to its description"),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z.array(fieldError).optional().describe("At most 100"),
  })
  .meta({ id: "Problem", description: "An RFC 9457 problem document" });

/** Kinds of problems: title, and what the documentation says of them. */
export const PROBLEMS = {
  bad_request: [400, "Bad request", "The request is not HTTP or JSON as it should be."],
  unauthorized: [401, "No valid credential", "Send `Authorization: Bearer TOKEN`."],
  forbidden: [403, "Not allowed", "The caller may see this but not change it."],
  not_found: [404, "Not found", "It does not exist, or the caller may not see it."],
  method_not_allowed: [405, "Wrong method", "`Allow` lists the methods that this path has."],
  conflict: [409, "Not in this state", "What it is now does not allow this."],
  in_progress: [409, "Still in work", "The same request is being worked on: try again."],
  gone: [410, "Gone", "It was there, and retention removed it."],
  too_large: [413, "Too large", "A body has at most 32 MiB."],
  unsupported_media_type: [415, "Wrong content type", "Send `Content-Type: application/json`."],
  range_not_satisfiable: [416, "No such range", "The log is shorter than that."],
  invalid: [422, "Invalid input", "`errors` says where and why."],
  key_reused: [422, "Idempotency key reused", "The key came with another request before."],
  too_many_requests: [
    429,
    "Too many requests",
    "Too many wrong tokens, or streams at once: `Retry-After` says when to try again.",
  ],
  internal: [
    500,
    "Something broke on our side",
    "The id in `detail` finds it in the server's log.",
  ],
  unavailable: [503, "Not now", "No room, or the database is away or too slow: try again."],
} as const satisfies Record<string, readonly [number, string, string]>;

export type ProblemKind = keyof typeof PROBLEMS;

/** Thrown by handlers; becomes the answer. */
export class ApiProblem extends Error {
  readonly kind: ProblemKind;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    kind: ProblemKind,
    detail?: string,
    more: { errors?: readonly FieldError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail ?? "");
    this.name = "ApiProblem";
    this.kind = kind;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.kind][0];
  }

  toJSON(): z.infer<typeof problem> {
    const [status, title] = PROBLEMS[this.kind];
    return {
      type: `/docs#problem-${this.kind}`,
      title,
      status,
      ...(this.message === "" ? {} : { detail: this.message }),
      ...(this.errors.length === 0 ? {} : { errors: this.errors.slice(0, ERRORS_MAX) }),
    };
  }

  toResponse(): Response {
    return new Response(JSON.stringify(this), {
      status: this.status,
      headers: {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        ...this.headers,
      },
    });
  }
}

const ERRORS_MAX = 100;

/** What a thrown value means to the caller; `report` hears of what is our own fault. */
export function toProblem(
  error: unknown,
  report: (error: unknown, id: string) => void,
): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof Refused) return refusal(error);
  if (error instanceof TooManyAttempts) {
    const headers = { "retry-after": String(error.retryAfterSeconds) };
    return new ApiProblem("too_many_requests", error.message, { headers });
  }
  if (error instanceof TooManyOpen) {
    const headers = { "retry-after": String(error.retryAfterSeconds) };
    const kind = error.status === 429 ? "too_many_requests" : "unavailable";
    return new ApiProblem(kind, error.message, { headers });
  }
  if (error instanceof NotFound) return new ApiProblem("not_found", error.message);
  if (error instanceof InvalidInput) {
    const errors = error.issues.map(({ path, message }) => ({
      path: pointer(path),
      in: "body" as const,
      message,
    }));
    return new ApiProblem("invalid", error.message, { errors });
  }
  const id = randomBytes(5).toString("hex");
  report(error, id);
  if (isUnavailable(error)) {
    const detail = "The database did not answer in time. Narrow the filters, or try again.";
    return new ApiProblem("unavailable", detail, { headers: { "retry-after": "1" } });
  }
  return new ApiProblem("internal", `Look for ${id} in the server's log.`);
}

function refusal({ kind, message, field }: Refused): ApiProblem {
  const path = field === null ? null : pointer([field]);
  const errors = path === null ? [] : [{ path, in: "body" as const, message }];
  return new ApiProblem(kind, message, path === null ? {} : { errors });
}

/** RFC 6901. */
export function pointer(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => String(step).replaceAll("~", "~0").replaceAll("/", "~1"));
  return steps.map((step) => `/${step}`).join("");
}

const CONNECTION_FAULTS = new Set([
  "57014", // statement_timeout
  "57P01", // the server shuts down
  "57P03",
  "53300", // too many connections
  "55P03", // lock_timeout
  "40001",
  "40P01",
]);

function isUnavailable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return false;
  return CONNECTION_FAULTS.has(code) || /^(ECONN|CONNECT|EPIPE|ETIMEDOUT|08)/.test(code);
}
