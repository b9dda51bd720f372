/** Where the last lines of a file begin, found from its end without reading the rest. */
import type { FileHandle } from "node:fs/promises";

const STEP_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Offset of the first byte of the last `lines` lines within the first `size` bytes. */
export async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  const buffer = new Uint8Array(Math.min(STEP_BYTES, size));
  let missing = lines;
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - STEP_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i -= 1) {
      // A newline that ends the file ends its last line; it begins none.
      if (buffer[i] !== NEWLINE || start + i === size - 1) continue;
      missing -= 1;
      if (missing === 0) return start + i + 1;
    }
    end = start;
  }
  return 0;
}
