import { BlockList, isIP } from "node:net";

/** IPv4 blocks that are nobody's server on the Internet (IANA IPv4 Special-Purpose Address Registry, RFC 6890). */
const NOT_PUBLIC_IPV4: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Link-local, and the metadata service of most clouds.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // The platform service of Azure, reachable from every machine there and from nowhere else.
  ["168.63.129.16", 32],
];

/** IPv6 addresses that carry an IPv4 address in their last 32 bits: mapped (RFC 4291) and NAT64 (RFC 6052). */
const CARRIERS = ["::ffff:", "64:ff9b::"] as const;
const CARRIER_BITS = 96;

/** All of IPv6 that is given out for use on the Internet (RFC 4291); everything else is refused. */
const GLOBAL_UNICAST = ["2000::", 3] as const;
/** Of that: Teredo and other protocols, 6to4, documentation (IANA IPv6 Special-Purpose Address Registry). */
const NOT_PUBLIC_IPV6: readonly (readonly [network: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const refused = new BlockList();
const usable = new BlockList();
usable.addSubnet(...GLOBAL_UNICAST, "ipv6");
for (const [network, bits] of NOT_PUBLIC_IPV6) refused.addSubnet(network, bits, "ipv6");
for (const carrier of CARRIERS) usable.addSubnet(`${carrier}0.0.0.0`, CARRIER_BITS, "ipv6");
for (const [network, bits] of NOT_PUBLIC_IPV4) {
  refused.addSubnet(network, bits, "ipv4");
  for (const carrier of CARRIERS) refused.addSubnet(carrier + network, CARRIER_BITS + bits, "ipv6");
}

/**
 * Whether an IP address, in text without brackets, can be a server on the Internet: not private, loopback, link-local,
 * multicast, reserved, nor a cloud's metadata service. What is no plain address is not public, one with a zone included.
 */
export function isPublicAddress(address: string): boolean {
  if (address.includes("%")) return false;
  const family = isIP(address);
  if (family === 4) return !refused.check(address, "ipv4");
  return family === 6 && usable.check(address, "ipv6") && !refused.check(address, "ipv6");
}
