/** A result as JSON text, within what the server can store; or why it is none. */
import { Buffer } from "node:buffer";

export type ResultText = { ok: true; json: string } | { ok: false; why: string };

/** As deep as a payload may be. */
const DEPTH_MAX = 64;

export function resultText(value: unknown, maxBytes: number): ResultText {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
  if (json === undefined) return { ok: false, why: `a ${typeof value} is no JSON` };
  const bytes = Buffer.byteLength(json);
  if (bytes > maxBytes) {
    return { ok: false, why: `it has ${bytes} bytes, more than ${maxBytes}` };
  }
  if (isDeeper(json, DEPTH_MAX)) {
    return { ok: false, why: `it is nested deeper than ${DEPTH_MAX}` };
  }
  return { ok: true, json };
}

/** Counts brackets outside strings; `json` is valid. */
function isDeeper(json: string, max: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (inText) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inText = false;
    } else if (code === 0x22) inText = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > max) return true;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return false;
}
