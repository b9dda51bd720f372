/**
 * `/docs`: the API's document as a page for people. Printed once, on the server, without a line of
 * script, so that the strictest content policy holds and a terminal browser can read it.
 */
import type { OpenApiDocument } from "./openapi.ts";
import { PROBLEMS } from "./problem.ts";
import { describeSchema, type Schema } from "./schema_text.ts";

export { docsStyle } from "./docs_style.ts";

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}
interface Body {
  description?: string;
  required?: boolean;
  content?: Record<string, { schema?: Schema }>;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: Body;
  responses: Record<string, Body>;
}
interface Entry {
  method: string;
  path: string;
  operation: Operation;
}

export function renderDocs(document: OpenApiDocument): string {
  const entries = entriesOf(document);
  const tags = [...new Set(entries.map(({ operation }) => operation.tags[0]!))];
  const schemas = Object.entries((document.components?.schemas ?? {}) as Record<string, Schema>);
  const nav = tags.map((tag) => navSection(tag, entries)).join("");
  const body = tags.map((tag) => tagSection(tag, entries)).join("");
  const { title, version, description } = document.info;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)} API</title>
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<nav aria-label="Contents"><a href="/board">${text(title)}</a>${nav}
<h2>More</h2><ul><li><a href="#schemas">Schemas</a></li><li><a href="#problems">Problems</a></li>
<li><a href="/openapi.json">openapi.json</a></li></ul></nav>
<main>
<h1>${text(title)} API <small>${text(version)}</small></h1>
${paragraphs(description ?? "")}
<p>Every request needs <code>Authorization: Bearer TOKEN</code>, except health.</p>
${body}
<section id="schemas"><h2>Schemas</h2>${schemas.map(schemaSection).join("")}</section>
${problemSection()}
</main>
</body>
</html>
`;
}

function entriesOf(document: OpenApiDocument): Entry[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) => {
      return { method, path, operation };
    }),
  );
}

function navSection(tag: string, entries: readonly Entry[]): string {
  const links = entries
    .filter(({ operation }) => operation.tags[0] === tag)
    .map(({ operation }) => {
      return `<li><a href="#${text(operation.operationId)}">${text(operation.summary)}</a></li>`;
    });
  return `<h2>${text(tag)}</h2><ul>${links.join("")}</ul>`;
}

function tagSection(tag: string, entries: readonly Entry[]): string {
  const own = entries.filter(({ operation }) => operation.tags[0] === tag);
  return `<section><h2>${text(tag)}</h2>${own.map(operationSection).join("")}</section>`;
}

function operationSection({ method, path, operation }: Entry): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  return `<article id="${text(operationId)}">
<h3>${text(summary)}</h3>
<p class="path"><b class="${text(method)}">${text(method.toUpperCase())}</b> <code>${text(path)}</code></p>
${paragraphs(description ?? "")}${parameterTable(parameters ?? [])}${bodyText(requestBody)}
<h4>Answers</h4><dl>${Object.entries(responses).map(answerText).join("")}</dl>
</article>`;
}

function parameterTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(({ name, in: where, required, description, schema }) => {
    const need = required ? ", required" : "";
    return `<tr><th scope="row"><code>${text(name)}</code></th><td>${text(where)}${need}</td>
<td>${schemaText(schema)}</td><td>${text(description ?? "")}</td></tr>`;
  });
  return `<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead>
<tbody>${rows.join("")}</tbody></table>`;
}

function bodyText(body: Body | undefined): string {
  const schema = body?.content?.["application/json"]?.schema;
  if (!schema) return "";
  const need = body?.required ? "" : " (may be left out)";
  return `<h4>Body${need}</h4><pre>${schemaText(schema)}</pre>`;
}

function answerText([status, { description, content }]: [string, Body]): string {
  const [type, media] = Object.entries(content ?? {})[0] ?? [];
  const isProblem = type === "application/problem+json";
  const shape = media?.schema && !isProblem ? `<pre>${schemaText(media.schema)}</pre>` : "";
  return `<dt><code>${text(status)}</code> ${text(description ?? "")}</dt><dd>${shape}</dd>`;
}

function schemaSection([name, schema]: [string, Schema]): string {
  return `<article id="schema-${text(name)}"><h3>${text(name)}</h3>
${paragraphs(schema.description ?? "")}<pre>${schemaText(schema)}</pre></article>`;
}

function problemSection(): string {
  const rows = Object.entries(PROBLEMS).map(([kind, [status, title, meaning]]) => {
    return `<tr id="problem-${text(kind)}"><th scope="row"><code>${text(kind)}</code></th>
<td>${status}</td><td>${text(title)}</td><td>${inline(meaning)}</td></tr>`;
  });
  return `<section id="problems"><h2>Problems</h2>
<table><thead><tr><th>Kind</th><th>Status</th><th>Title</th><th>Meaning</th></tr></thead>
<tbody>${rows.join("")}</tbody></table></section>`;
}

// Text

function schemaText(schema: Schema | undefined): string {
  if (schema === undefined) return "";
  // Names of schemas become links; \u0001 cannot stand in the text, so it marks them.
  return text(describeSchema(schema, (name) => `\u0001${name}\u0001`)).replaceAll(
    /\u0001([^\u0001]+)\u0001/g,
    '<a href="#schema-$1">$1</a>',
  );
}

function paragraphs(source: string): string {
  if (source === "") return "";
  return source
    .split(/\n{2,}/)
    .map((part) => `<p>${inline(part)}</p>`)
    .join("\n");
}

function inline(source: string): string {
  return text(source).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function text(source: string): string {
  return source
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
