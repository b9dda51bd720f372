/** Cutting UTF-8 between characters. */

/** How many bytes at the beginning of `bytes` do not end inside a character. */
export function completeLength(bytes: Uint8Array): number {
  const end = bytes.length;
  for (let back = 1; back <= Math.min(3, end); back += 1) {
    const byte = bytes[end - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return back < lengthOf(byte) ? end - back : end;
  }
  return end;
}

/** How many bytes a character has that begins so; 1 also for what begins none. */
function lengthOf(byte: number): number {
  if (byte >= 0xf0 && byte <= 0xf4) return 4;
  if (byte >= 0xe0) return byte < 0xf0 ? 3 : 1;
  return byte >= 0xc2 ? 2 : 1;
}
