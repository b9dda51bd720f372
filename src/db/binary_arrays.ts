/**
 * Arrays in PostgreSQL's binary format, as `array_send` writes them: to read numbers and uuids from
 * a literal was a ninth of what a beat cost the database, and to write it cost more here as well.
 */
import { Buffer } from "node:buffer";

/** A parameter that the driver sends as it is (`patches/README.md`); as text it is the literal. */
export class BinaryArray {
  readonly binary: Uint8Array;
  readonly #literal: () => string;

  constructor(binary: Uint8Array, literal: () => string) {
    this.binary = binary;
    this.#literal = literal;
  }

  toString(): string {
    return this.#literal();
  }

  toJSON(): string {
    return this.#literal();
  }
}

export interface Element {
  oid: number;
  /** Bytes of an element, or the most that it can have. */
  width: number | ((value: string) => number);
  /** Writes an element, and returns its length; -1 where it is none of this type. */
  put(bytes: DataView, at: number, value: unknown): number;
}

/** One dimension, whether there are nulls, the element's type, its size, its first place. */
const HEADER_BYTES = 20;
const NULL = -1;
const LENGTH_BYTES = 4;

/**
 * The values as an array of `element`; null and undefined are NULL. Where one of them does not fit,
 * it is the literal instead: PostgreSQL refuses it, with a code that names the fault.
 */
export function binaryArray(
  { oid, width, put }: Element,
  values: readonly unknown[],
  literal: () => string,
): BinaryArray | string {
  if (values.length === 0) return literal();
  const bytes = new DataView(new ArrayBuffer(HEADER_BYTES + sizeOf(width, values)));
  bytes.setInt32(0, 1);
  bytes.setInt32(8, oid);
  bytes.setInt32(12, values.length);
  bytes.setInt32(16, 1);
  let at = HEADER_BYTES;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      bytes.setInt32(4, 1);
      bytes.setInt32(at, NULL);
      at += LENGTH_BYTES;
      continue;
    }
    const length = put(bytes, at + LENGTH_BYTES, value);
    if (length < 0) return literal();
    bytes.setInt32(at, length);
    at += LENGTH_BYTES + length;
  }
  return new BinaryArray(new Uint8Array(bytes.buffer, 0, at), literal);
}

function sizeOf(width: Element["width"], values: readonly unknown[]): number {
  let size = LENGTH_BYTES * values.length;
  if (typeof width === "number") return size + width * values.length;
  for (const value of values) if (typeof value === "string") size += width(value);
  return size;
}

export const INT2: Element = {
  oid: 21,
  width: 2,
  put(bytes, at, value) {
    if (typeof value !== "number" || (value << 16) >> 16 !== value) return -1;
    bytes.setInt16(at, value);
    return 2;
  },
};

export const INT4: Element = {
  oid: 23,
  width: 4,
  put(bytes, at, value) {
    if (typeof value !== "number" || (value | 0) !== value) return -1;
    bytes.setInt32(at, value);
    return 4;
  },
};

export const INT8: Element = {
  oid: 20,
  width: 8,
  put(bytes, at, value) {
    if (!Number.isSafeInteger(value)) return -1;
    const whole = value as number;
    bytes.setInt32(at, Math.floor(whole / 2 ** 32));
    bytes.setInt32(at + 4, whole | 0);
    return 8;
  },
};

export const FLOAT4: Element = {
  oid: 700,
  width: 4,
  put(bytes, at, value) {
    if (typeof value !== "number") return -1;
    const rounded = Math.fround(value);
    // As in a literal: what is too large or too small for four bytes is refused, not rounded.
    if (rounded !== value && (rounded === 0 || Math.abs(rounded) === Infinity)) return -1;
    bytes.setFloat32(at, rounded);
    return 4;
  },
};

export const FLOAT8: Element = {
  oid: 701,
  width: 8,
  put(bytes, at, value) {
    if (typeof value !== "number") return -1;
    bytes.setFloat64(at, value);
    return 8;
  },
};

/** Takes milliseconds. */
export const SECONDS: Element = {
  ...FLOAT8,
  put: (bytes, at, value) => (typeof value === "number" ? FLOAT8.put(bytes, at, value / 1000) : -1),
};

export const BOOL: Element = {
  oid: 16,
  width: 1,
  put(bytes, at, value) {
    if (typeof value !== "boolean") return -1;
    bytes.setUint8(at, value ? 1 : 0);
    return 1;
  },
};

/** The value of each code of a hexadecimal digit; negative for every other code there is. */
const DIGITS = new Int8Array(65_536).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  const lower = digit.toString(16);
  DIGITS[lower.charCodeAt(0)] = digit;
  DIGITS[lower.toUpperCase().charCodeAt(0)] = digit;
}

/** Where the eight groups of four digits begin. */
const GROUPS = [0, 4, 9, 14, 19, 24, 28, 32];
const DASH = 45;

export const UUID: Element = {
  oid: 2950,
  width: 16,
  put(bytes, at, value) {
    if (typeof value !== "string" || value.length !== 36) return -1;
    let bad = 0;
    for (let dash = 8; dash < 24; dash += 5) bad |= value.charCodeAt(dash) ^ DASH;
    for (let group = 0; group < 8; group++) {
      const from = GROUPS[group]!;
      const four =
        (DIGITS[value.charCodeAt(from)]! << 12) |
        (DIGITS[value.charCodeAt(from + 1)]! << 8) |
        (DIGITS[value.charCodeAt(from + 2)]! << 4) |
        DIGITS[value.charCodeAt(from + 3)]!;
      // A digit that is none sets the sign.
      bad |= four >> 16;
      bytes.setUint16(at + 2 * group, four);
    }
    return bad === 0 ? 16 : -1;
  },
};

/** Up to here a loop is faster than a call of the runtime's own. */
const SHORT = 48;

export const TEXT: Element = {
  oid: 25,
  // No code of UTF-16 has more than three bytes.
  width: (value) => (value.length <= SHORT ? 3 * value.length : Buffer.byteLength(value)),
  put(bytes, at, value) {
    if (typeof value !== "string") return -1;
    if (value.length <= SHORT && putAscii(bytes, at, value)) return value.length;
    return Buffer.from(bytes.buffer as ArrayBuffer).write(value, at);
  },
};

function putAscii(bytes: DataView, at: number, value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 127) return false;
    bytes.setUint8(at + i, code);
  }
  return true;
}
