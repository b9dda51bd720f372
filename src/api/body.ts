/** A request's JSON body, read with bounds: size, encoding, syntax, depth, storable text. */
import { cleanJson } from "../core/storable.ts";
import { PAYLOAD_MAX_DEPTH } from "../messages/job_input.ts";
import { readBounded } from "../web/bounded_body.ts";
import { ApiProblem } from "./problem.ts";
import { invalid } from "./query.ts";

export const BODY_MAX_BYTES = 32 * 1024 * 1024;
/** A payload, and the request around it. */
const DEPTH_MAX = PAYLOAD_MAX_DEPTH + 8;

export interface Body {
  value: unknown;
  /** As it came, for telling one request from another. */
  bytes: Uint8Array;
}

export async function readBody(request: Request, optional: boolean): Promise<Body> {
  const bytes = await readBounded(request, BODY_MAX_BYTES);
  if (bytes === null) throw tooLarge();
  if (bytes.length === 0 && optional) return { value: {}, bytes };
  checkType(request.headers.get("content-type"));
  if (bytes.length === 0) throw new ApiProblem("bad_request", "The body is empty.");
  return { value: parse(bytes), bytes };
}

function checkType(type: string | null): void {
  const essence = (type ?? "").split(";")[0]!.trim().toLowerCase();
  if (essence === "application/json" || /^application\/[a-z0-9.-]+\+json$/.test(essence)) return;
  const said = type === null ? "no content type" : "another content type";
  throw new ApiProblem("unsupported_media_type", `Send application/json; this came with ${said}.`);
}

function parse(bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiProblem("bad_request", "The body is not UTF-8.");
  }
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiProblem("bad_request", "The body is not JSON.");
  }
  if (isDeeper(value, DEPTH_MAX)) {
    throw invalid([{ path: "", in: "body", message: `is nested deeper than ${DEPTH_MAX} levels` }]);
  }
  // NUL and lone surrogates can stand in JSON only as escapes: most bodies need no walk.
  return text.includes("\\u") ? cleanJson(value, DEPTH_MAX) : value;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth <= 0) return true;
  const items = Array.isArray(value) ? value : Object.values(value);
  return items.some((item) => isDeeper(item, depth - 1));
}

function tooLarge(): ApiProblem {
  return new ApiProblem("too_large", `A body has at most ${BODY_MAX_BYTES / 2 ** 20} MiB.`);
}
