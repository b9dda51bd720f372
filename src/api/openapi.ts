/** `/openapi.json`: OpenAPI 3.1, written from the schemas that validate. */
import { z } from "zod";
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from "zod-openapi";
import { readiness } from "./health.ts";
import { PROBLEMS, type ProblemKind, problem } from "./problem.ts";
import type { Answer, Route } from "./route.ts";

export const API_PREFIX = "/api/v1";

export type OpenApiDocument = ReturnType<typeof createDocument>;

const idempotencyHeader = z.object({
  "Idempotency-Key": z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe("For 24 h the same request with the same key gets the same answer"),
});

const DESCRIPTION = `Jobs and builds on a fleet of workers.

Ids are UUIDv7, times RFC 3339 in UTC. Lists are \`{items, next_cursor}\`: send \`next_cursor\` back as
\`cursor\` for the next page; null: that was all. Errors are RFC 9457 problem documents. Unknown fields are refused.`;

export function createOpenApi(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = API_PREFIX + route.path;
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  Object.assign(paths, healthPaths());
  const tags = [...new Set(routes.map((route) => route.tag))].map((name) => ({ name }));
  return createDocument(
    {
      openapi: "3.1.0",
      info: {
        title: "Signalbox",
        version,
        description: DESCRIPTION,
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/" }],
      security: [{ bearer: [] }],
      tags: [...tags, { name: "Health" }],
      paths,
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
    { override: ({ jsonSchema }) => simplify(jsonSchema) },
  );
}

/** A format says what its regular expression would say again; so do the bounds of an integer. */
function simplify(schema: Record<string, unknown>): void {
  if (schema.format === "uuid" || schema.format === "date-time") delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

function operation(route: Route): ZodOpenApiOperationObject {
  const { method, params, query, body, tag, summary, description } = route;
  return {
    operationId: operationId(route),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    requestParams: {
      ...(params instanceof z.ZodObject ? { path: params } : {}),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...(method === "post" ? { header: idempotencyHeader } : {}),
    },
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.bodyOptional,
            content: { "application/json": { schema: body } },
          },
        }),
    responses: { ...answersOf(route.answers), ...problemsOf(route) },
  };
}

function answersOf(answers: Record<number, Answer>) {
  const entries = Object.entries(answers).map(([status, answer]) => {
    const type = answer.contentType ?? "application/json";
    if (!answer.schema) return [status, { description: answer.description }];
    const texts = answer.texts?.map((other) => [other, { schema: z.string() }]) ?? [];
    const content = { [type]: { schema: answer.schema }, ...Object.fromEntries(texts) };
    return [status, { description: answer.description, content }];
  });
  return Object.fromEntries(entries);
}

/** Which problems a route can answer with, one entry a status. */
function problemsOf(route: Route) {
  const kinds: ProblemKind[] = [
    "unauthorized",
    "forbidden",
    "too_many_requests",
    "internal",
    "unavailable",
  ];
  if (route.params || route.query) kinds.push("not_found");
  if (route.params || route.query || route.body) kinds.push("invalid");
  if (route.method !== "get") {
    kinds.push("bad_request", "conflict", "too_large", "unsupported_media_type");
  }
  if (route.path.endsWith("/audit")) kinds.push("forbidden");
  if (/\/jobs\/\{id\}\/(log|attempts|events|explain)$/.test(route.path)) kinds.push("gone");
  if (route.path.endsWith("/log")) kinds.push("range_not_satisfiable");
  return problemResponses(kinds);
}

function problemResponses(kinds: readonly ProblemKind[]) {
  const entries = kinds.map((kind) => {
    const [status, title] = PROBLEMS[kind];
    return [
      status,
      { description: title, content: { "application/problem+json": { schema: problem } } },
    ];
  });
  return Object.fromEntries(entries);
}

/** `GET /jobs/{id}/log` is `get_jobs_id_log`. */
function operationId({ method, path }: Route): string {
  const words = path.split("/").filter((step) => step !== "");
  return [method, ...words.map((step) => step.replaceAll(/[{}]/g, ""))].join("_");
}

function healthPaths(): ZodOpenApiPathsObject {
  const json = (description: string, schema: z.ZodType) => ({
    description,
    content: { "application/json": { schema } },
  });
  return {
    "/healthz": {
      get: {
        operationId: "healthz",
        tags: ["Health"],
        summary: "The process lives",
        security: [],
        responses: { 200: json("It does", z.object({ status: z.literal("ok") })) },
      },
    },
    "/metrics": {
      get: {
        operationId: "metrics",
        tags: ["Health"],
        summary: "What Prometheus scrapes",
        description:
          "Needs the server's metrics token, a token with the purpose `metrics`, or the admin token.",
        responses: {
          200: {
            description: "The exposition",
            content: { "text/plain": { schema: z.string() } },
          },
          ...problemResponses(["unauthorized", "too_many_requests", "internal"]),
        },
      },
    },
    "/readyz": {
      get: {
        operationId: "readyz",
        tags: ["Health"],
        summary: "Database, migrations and partitions are right",
        security: [],
        responses: { 200: json("They are", readiness), 503: json("They are not", readiness) },
      },
    },
  };
}
