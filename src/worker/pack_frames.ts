/** Packs JSON texts into frames of an array each, none larger than the protocol allows. */

import { Buffer } from "node:buffer";

/**
 * `head` opens the frame up to and with the array's bracket; `]}` closes it. A piece that is too
 * large for any frame is the caller's mistake and throws.
 */
export function packFrames(
  head: string,
  pieces: readonly string[],
  maxBytes: number,
  maxCount: number,
  send: (frame: string) => void,
): void {
  const room = maxBytes - head.length - 2;
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < pieces.length; at += 1) {
    const size = Buffer.byteLength(pieces[at]!) + 1;
    if (size > room) throw new Error(`a piece of ${size} bytes fits no frame of ${maxBytes}`);
    if (bytes + size > room || at - from >= maxCount) {
      send(`${head}${pieces.slice(from, at).join(",")}]}`);
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < pieces.length) send(`${head}${pieces.slice(from).join(",")}]}`);
}
