/** UUIDs by dice: version 7, so that a job's id says when it was made; and others that say nothing. */
import type { Dice } from "../dice.ts";

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Digits of the lowest `bytes` of a whole number. */
function hex(value: number, bytes: number): string {
  let text = "";
  let left = value;
  for (let at = 0; at < bytes; at++) {
    text = BYTES[left % 256] + text;
    left = Math.floor(left / 256);
  }
  return text;
}

/** @param ms epoch milliseconds */
export function pastId(ms: number, dice: Dice): string {
  const whole = Math.floor(ms);
  const time = `${hex(Math.floor(whole / 65_536), 4)}-${hex(whole % 65_536, 2)}`;
  const parts = hex(0x7000 + Math.floor((ms - whole) * 4_096), 2);
  const variant = hex(0x8000 + dice.between(0, 0x3fff), 2);
  return `${time}-${parts}-${variant}-${hex(dice.between(0, 0xffffffff), 4)}${hex(dice.between(0, 0xffff), 2)}`;
}
