/**
 * Makes valid UTF-8 of whatever a process writes, independent of how the output was cut: invalid
 * bytes become U+FFFD before anything is counted, so that offsets count exactly the bytes that are
 * sent.
 */
import { Buffer, isUtf8 } from "node:buffer";

const NONE = Buffer.alloc(0);

export class Utf8Cleaner {
  #rest: Buffer = NONE;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  push(chunk: Uint8Array): Buffer {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, view]) : view;
    const whole = boundaryBefore(all, all.length);
    this.#rest = whole < all.length ? Buffer.from(all.subarray(whole)) : NONE;
    return this.#clean(all.subarray(0, whole));
  }

  end(): Buffer {
    const rest = this.#rest;
    this.#rest = NONE;
    return this.#clean(rest);
  }

  #clean(bytes: Buffer): Buffer {
    return isUtf8(bytes) ? bytes : Buffer.from(this.#decoder.decode(bytes));
  }
}

/** The largest cut at or before `end` that does not stand inside a character that is still open. */
export function boundaryBefore(bytes: Uint8Array, end: number): number {
  if (end >= bytes.length) end = bytes.length;
  for (let back = 1; back <= 3 && back <= end; back += 1) {
    const byte = bytes[end - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return back < sequenceLength(byte) ? end - back : end;
  }
  return end;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  return 1;
}
