/** Where a list goes on. Opaque to callers: they get it, keep it and send it back. */
import { Buffer } from "node:buffer";
import { z } from "zod";

const CURSOR_MAX = 512;

export function encodeCursor(value: string): string {
  return Buffer.from(value).toString("base64url");
}

/** A cursor whose inside looks like `inside`. */
export function cursorParam(inside: RegExp) {
  return z
    .string()
    .max(CURSOR_MAX)
    .transform((text, ctx) => {
      const value = Buffer.from(text, "base64url").toString();
      if (inside.test(value) && encodeCursor(value) === text) return value;
      ctx.addIssue({ code: "custom", message: "is not a cursor of this list" });
      return z.NEVER;
    })
    .optional()
    .describe("`next_cursor` of the page before");
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/.source;
const ID = UUID.source.slice(1, -1);
/** Of lists in the order of a time, then an id; `before`: words that come first. */
export function timeAndId(before = ""): RegExp {
  return new RegExp(`^${before}${TIME} ${ID}$`);
}
export const NUMBER = /^\d{1,16}$/;

/** A page of what was found, of which one more than it holds was asked for. */
export function pageOf<T>(found: readonly T[], limit: number, key: (item: T) => string) {
  const items = found.slice(0, limit);
  const next = found.length > limit ? encodeCursor(key(items.at(-1)!)) : null;
  return { items, next_cursor: next };
}

/** A list that is given whole. */
export function wholeOf<T>(items: readonly T[]) {
  return { items, next_cursor: null };
}

/** `{items, next_cursor}` of something. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}
