/**
 * Whom a limit counts as one. An IPv4 address is one; of IPv6 it is the /64, because that is the least
 * that anybody is given, and whoever has it can come from any of its addresses.
 */
import { isIPv4, isIPv6 } from "node:net";

/** Everybody whose address is not known, or is none. */
const UNKNOWN = "unknown";
/** `::ffff:192.0.2.7`: how a socket that listens for both kinds names a peer of the old kind. */
const MAPPED = [0, 0, 0, 0, 0, 0xffff];

/** The same text for all addresses that count as one; no longer than an address is. */
export function addressGroup(address: string | null | undefined): string {
  if (!address) return UNKNOWN;
  if (isIPv4(address)) return address;
  // The zone says by which of our own interfaces a peer is reached, and nothing of the peer.
  const plain = address.replace(/%.*$/s, "");
  if (!isIPv6(plain)) return UNKNOWN;
  const words = wordsOf(plain);
  if (MAPPED.every((word, at) => words[at] === word)) {
    return words
      .slice(6)
      .flatMap((word) => [word >> 8, word & 0xff])
      .join(".");
  }
  return `${words
    .slice(0, 4)
    .map((word) => word.toString(16))
    .join(":")}::/64`;
}

/** The eight 16-bit words of a valid address. */
function wordsOf(address: string): number[] {
  // Written by the URL parser, so that the last two are never dotted.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = canonical
    .split("::")
    .map((half) => half.split(":").filter((word) => word !== ""));
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...gap, ...tail].map((word) => Number.parseInt(word, 16));
}
