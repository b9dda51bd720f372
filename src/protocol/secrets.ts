/** Comparing secrets without telling by time how much of a guess was right. */
import { createHash, timingSafeEqual } from "node:crypto";

/** Hashed first, so that neither content nor length shows. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
