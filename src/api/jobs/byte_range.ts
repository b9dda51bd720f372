/** The `Range` header (RFC 9110 section 14): one range of bytes, or none that counts. */

/**
 * Null: answer with everything, as for a header that is malformed, of another unit, or of several
 * ranges, which a server may ignore.
 */
export function byteRange(
  header: string | null,
  size: number,
): { from: number; to: number } | "unsatisfiable" | null {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec((header ?? "").replaceAll(/\s/g, ""));
  if (found === null) return null;
  const [, first, last] = found as unknown as [string, string, string];
  if (first === "" && last === "") return null;
  if (first === "") {
    const count = Math.min(Number(last), size);
    return count === 0 ? "unsatisfiable" : { from: size - count, to: size };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return null;
  if (from >= size) return "unsatisfiable";
  return { from, to: last === "" ? size : Math.min(Number(last) + 1, size) };
}
