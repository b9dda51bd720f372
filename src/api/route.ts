/**
 * A route of the API, said once: what it takes and answers as zod schemas, which validate requests
 * and become `/openapi.json`, and the function that answers.
 */
import type { z } from "zod";
import type { Receipt } from "../engine/engine.ts";
import type { Asking } from "./allowed.ts";
import type { ApiDeps, Caller } from "./deps.ts";

export type Method = "get" | "post";

export interface Answer {
  description: string;
  /** Absent: no body, or one that is not JSON. */
  schema?: z.ZodType;
  /** `application/json` where a schema is given. */
  contentType?: string;
  /** Other content types that the caller may ask for. */
  texts?: readonly string[];
}

/** A handler's answer as data, so that it can be kept and replayed; or a response of its own. */
export type Reply =
  | {
      status: number;
      body: unknown;
      headers?: Record<string, string>;
      /** The submission has kept it with its receipt. */
      kept?: boolean;
    }
  | Response;

export interface RouteInput<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  caller: Caller;
  request: Request;
  deps: ApiDeps;
  /** To be handed to a submission of the engine, where the route has `fromReceipt`. */
  receipt?: Receipt | undefined;
}

export interface RouteSpec<P = unknown, Q = unknown, B = unknown> {
  method: Method;
  /** As in OpenAPI, below `/api/v1`: `/jobs/{id}`. Fixed steps are registered before parameters. */
  path: string;
  /** Heading in the documentation. */
  tag: string;
  summary: string;
  description?: string;
  params?: z.ZodType<P>;
  /** Only what it names may be asked. */
  query?: z.ZodType<Q>;
  body?: z.ZodType<B>;
  /** The body may be left out, and is then `{}`. */
  bodyOptional?: boolean;
  answers: Record<number, Answer>;
  /** Whoever shows no credential is let in too (for some questions), with the scope of a stranger. */
  forStrangers?: boolean | ((url: URL) => boolean);
  /**
   * Throws 404 or 403 where the caller may not, before the body is read and before a kept answer is
   * given again. What only reads asks the scope in its own statements instead.
   */
  allow?(asking: Asking<NoInfer<P>>): unknown;
  handle(input: RouteInput<P, Q, B>): Promise<Reply> | Reply;
  /**
   * For routes that submit: the answer made again from the receipt that the engine kept. Other routes
   * may be done twice where a server dies in between.
   */
  fromReceipt?(
    receipt: unknown,
    input: Pick<RouteInput<P, Q, B>, "caller" | "deps">,
  ): Promise<Reply>;
}

/** A spec whose types have been checked and may be forgotten. */
export type Route = RouteSpec;

export function route<P = Record<string, never>, Q = Record<string, never>, B = undefined>(
  spec: RouteSpec<P, Q, B>,
): Route {
  return spec as unknown as Route;
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}
