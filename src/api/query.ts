/** Parameters of the path and of the query, as objects for the schemas. */
import { z } from "zod";
import { cleanText } from "../core/storable.ts";
import { ApiProblem, type FieldError, pointer } from "./problem.ts";

type Where = FieldError["in"];

/** The schemas of parameters are objects of strings; those that repeat are arrays. */
export function queryObject(url: URL, schema: z.ZodType | undefined): Record<string, unknown> {
  const shape = schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {};
  const out: Record<string, unknown> = Object.create(null);
  for (const key of new Set(url.searchParams.keys())) {
    // What PostgreSQL cannot store it cannot compare with either.
    const values = url.searchParams.getAll(key).map(cleanText);
    const repeats = Object.hasOwn(shape, key) && takesMany(shape[key]!);
    if (!repeats && values.length > 1) {
      throw invalid([{ path: key, in: "query", message: "was given more than once" }]);
    }
    out[key] = repeats ? values : values[0];
  }
  return { ...out };
}

export function pathObject(params: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params).map(([key, text]) => [key, cleanText(text)]));
}

/** Validated by `schema`, or thrown as a problem that says where. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, where: Where): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) => describe(issue, where));
  throw invalid(errors);
}

export function invalid(errors: readonly FieldError[]): ApiProblem {
  const [first] = errors;
  const place = first
    ? `${first.path === "" ? first.in : first.path}: ${first.message}`
    : undefined;
  return new ApiProblem("invalid", place, { errors });
}

function describe(issue: z.core.$ZodIssue, where: Where): FieldError[] {
  const at = (path: readonly PropertyKey[]) =>
    where === "body" ? pointer(path) : path.map(String).join(".");
  if (issue.code !== "unrecognized_keys") {
    return [{ path: at(issue.path), in: where, message: issue.message }];
  }
  return issue.keys.map((key) => ({
    path: at([...issue.path, key]),
    in: where,
    message: "is not known here",
  }));
}

function takesMany(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodArray) return true;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return takesMany(schema.unwrap() as z.ZodType);
  }
  return schema instanceof z.ZodPipe && takesMany(schema.in as z.ZodType);
}

/** A number written in a query: digits only, so that `1e3`, ` 7` and `0x10` are refused. */
export function numberParam(low: number, high: number) {
  return z
    .string()
    .regex(/^\d{1,10}$/, `must be a whole number from ${low} to ${high}`)
    .transform(Number)
    .refine((n) => n >= low && n <= high, `must be a whole number from ${low} to ${high}`)
    .meta({ override: { type: "integer", minimum: low, maximum: high, pattern: undefined } });
}

export const LIMIT_MAX = 1000;
export const limitParam = numberParam(1, LIMIT_MAX).optional().describe("At most 1000");
/** In the one spelling that the rest of the server compares. */
export const idParams = z.strictObject({ id: z.uuid().toLowerCase() });
export const orgParams = z.strictObject({ org: z.string().max(63) });
