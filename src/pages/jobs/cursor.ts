/** Where a page of jobs goes on, opaque: a direction and an id. Pure. */
import { Buffer } from "node:buffer";
import type { Direction } from "../../db/job_search/step.ts";

export interface Cursor {
  direction: Direction;
  /** Not looked at itself; null: from the newest. */
  from: string | null;
}

export const NEWEST: Cursor = { direction: "older", from: null };
const INSIDE = /^([on])([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

export function encodeCursor({ direction, from }: { direction: Direction; from: string }): string {
  return Buffer.from(`${direction === "older" ? "o" : "n"}${from}`).toString("base64url");
}

/** What is none begins with the newest, so that an old link still shows something. */
export function decodeCursor(text: string | null): Cursor {
  const found = INSIDE.exec(Buffer.from((text ?? "").slice(0, 100), "base64url").toString());
  if (!found) return NEWEST;
  return { direction: found[1] === "o" ? "older" : "newer", from: found[2]! };
}
