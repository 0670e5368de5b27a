import { expect, test } from "vitest";
import { isPublicAddress } from "./public-address.ts";

test.each([
  "1.1.1.1",
  "93.184.216.34",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "168.63.129.15",
  "223.255.255.255",
  "2606:2800:220:1:248:1893:25c8:1946",
  "2a00:1450:4001:81b::200e",
  "::ffff:1.1.1.1",
  "::ffff:101:101",
  "64:ff9b::1.1.1.1",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ["this network", "0.0.0.0"],
  ["private", "10.1.2.3"],
  ["private", "172.16.0.1"],
  ["private", "172.31.255.255"],
  ["private", "192.168.1.1"],
  ["shared by carriers, and Alibaba's metadata service", "100.100.100.200"],
  ["loopback", "127.0.0.1"],
  ["loopback", "127.255.255.254"],
  ["link-local: the metadata service", "169.254.169.254"],
  ["Oracle's metadata service", "192.0.0.192"],
  ["Azure's platform service", "168.63.129.16"],
  ["benchmarking", "198.19.255.255"],
  ["documentation", "203.0.113.1"],
  ["multicast", "224.0.0.1"],
  ["reserved", "250.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["unspecified", "::"],
  ["loopback", "::1"],
  ["link-local", "fe80::1"],
  ["link-local with its zone", "fe80::1%eth0"],
  ["a public one with a zone", "2606:2800:220:1::1%eth0"],
  ["unique local: the metadata service in IPv6", "fd00:ec2::254"],
  ["multicast", "ff02::1"],
  ["documentation", "2001:db8::1"],
  ["documentation", "3fff::1"],
  ["Teredo", "2001:0:1::1"],
  ["6to4", "2002:7f00:1::"],
  ["an IPv4 loopback, mapped", "::ffff:127.0.0.1"],
  ["the same in hex", "::ffff:7f00:1"],
  ["the same spelt out", "0:0:0:0:0:FFFF:7f00:0001"],
  ["the metadata service behind NAT64", "64:ff9b::169.254.169.254"],
  ["local NAT64", "64:ff9b:1::1.1.1.1"],
  ["an IPv4 address in the old form", "::1.1.1.1"],
  ["a name", "localhost"],
  ["a short form", "127.1"],
  ["nothing", ""],
])("%s (%s) is not public", (_, address) => {
  expect(isPublicAddress(address)).toBe(false);
});
