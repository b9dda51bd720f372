/** A JSON schema in a few readable lines, much like a TypeScript type. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  /** Of what may not be there: `{}`. */
  not?: object;
  enum?: unknown[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  maxLength?: number;
  default?: unknown;
}

/** `link` prints the name of a shared schema. */
export function describeSchema(
  schema: Schema,
  link: (name: string) => string,
  indent = "",
): string {
  const { $ref, anyOf, oneOf, allOf } = schema;
  const describe = (inner: Schema) => describeSchema(inner, link, indent);
  if ($ref !== undefined) return link($ref.split("/").at(-1)!);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.not !== undefined) return "never";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = anyOf ?? oneOf;
  if (choices) return choices.map(describe).join(" | ");
  if (allOf) return allOf.map(describe).join(" & ");
  if (schema.type === "array") return `${describe(schema.items ?? {})}[]${bounds(schema)}`;
  if (schema.type === "object" || schema.properties) return describeObject(schema, link, indent);
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : (schema.type ?? "any JSON");
  return type + (schema.format ? ` (${schema.format})` : "") + bounds(schema);
}

function describeObject(schema: Schema, link: (name: string) => string, indent: string): string {
  const fields = Object.entries(schema.properties ?? {});
  const inner = `${indent}  `;
  if (fields.length === 0) {
    const { additionalProperties: values } = schema;
    if (typeof values !== "object") return "{}";
    return `{ [key]: ${describeSchema(values, link, indent)} }`;
  }
  const lines = fields.map(([name, field]) => {
    const optional = schema.required?.includes(name) ? "" : "?";
    const note = field.description === undefined ? "" : `  // ${field.description}`;
    const start = field.default === undefined ? "" : ` = ${JSON.stringify(field.default)}`;
    return `${inner}${name}${optional}: ${describeSchema(field, link, inner)}${start}${note}`;
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function bounds({ minimum, maximum, maxItems, maxLength }: Schema): string {
  const parts = [
    minimum === undefined || Math.abs(minimum) > 1e15 ? "" : `≥ ${minimum}`,
    maximum === undefined || Math.abs(maximum) > 1e15 ? "" : `≤ ${maximum}`,
    maxItems === undefined ? "" : `at most ${maxItems}`,
    maxLength === undefined ? "" : `at most ${maxLength} characters`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}
