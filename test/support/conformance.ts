/** Holds answers against `/openapi.json`: the status is documented, and the body fits its schema. */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { OpenApiDocument } from "../../src/api/openapi.ts";

interface Operation {
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

export interface Heard {
  method: string;
  /** Without the query. */
  path: string;
  status: number;
  contentType: string | null;
  json: unknown;
}

/** Throws where an answer is not what the document says; passes over paths that it does not have. */
export function createConformance(document: OpenApiDocument): (heard: Heard) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  // The package's types name a module where its value is the function.
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema({ $id: "document", ...(document as object) });
  const templates = Object.keys(document.paths ?? {})
    .map((template) => ({ template, matches: matcher(template) }))
    .sort((a, b) => braces(a.template) - braces(b.template));

  return ({ method, path, status, contentType, json }) => {
    const template = templates.find(({ matches }) => matches.test(path))?.template;
    if (template === undefined) return;
    const verb = method === "HEAD" ? "get" : method.toLowerCase();
    const item = (document.paths as Record<string, Record<string, Operation>>)[template]!;
    const operation = item[verb];
    if (operation === undefined || method === "HEAD") return;
    const what = `${method} ${template} answered ${status}`;
    const answer = operation.responses[status];
    if (answer === undefined) throw new Error(`${what}, which is not documented`);
    const essence = contentType?.split(";")[0] ?? "";
    if (answer.content !== undefined && answer.content[essence] === undefined) {
      throw new Error(`${what} as ${essence}, which is not documented`);
    }
    // JSON itself, or a dialect such as application/problem+json; not NDJSON, which is lines of it.
    if (!/[/+]json$/.test(essence) || answer.content === undefined) return;
    const steps = [
      "paths",
      template,
      verb,
      "responses",
      String(status),
      "content",
      essence,
      "schema",
    ];
    const pointer = steps.map((step) => encodeURIComponent(escapeStep(step))).join("/");
    const check = ajv.getSchema(`document#/${pointer}`);
    if (check === undefined) throw new Error(`${what}: no schema at ${pointer}`);
    if (!check(json)) {
      const faults = check.errors?.map(
        (e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`,
      );
      throw new Error(
        `${what} with a body that its schema refuses: ${faults?.slice(0, 5).join("; ")}`,
      );
    }
  };
}

function matcher(template: string): RegExp {
  const steps = template
    .split(/\{\w+\}/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${steps.join("[^/]+")}$`);
}

function braces(template: string): number {
  return template.split("{").length;
}

function escapeStep(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}
