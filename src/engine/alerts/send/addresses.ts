/** Which addresses belong to everybody's internet: messages of organizations go nowhere else. */
import { BlockList, isIP } from "node:net";

const V4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
];
/** Those that stand for IPv4 addresses among them: what they lead to nobody has looked at. */
const V6 = [
  ...["::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23"],
  ...["2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10"],
  "ff00::/8",
];

/** A list each: in one of both, a network of IPv6 that stands for IPv4 would hold all of that. */
const LISTS = { 4: listOf(V4, "ipv4"), 6: listOf(V6, "ipv6") } as const;

/** False for what is no address. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !LISTS[4].check(address, "ipv4");
  return version === 6 && !LISTS[6].check(address, "ipv6");
}

function listOf(networks: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split("/") as [string, string];
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}
