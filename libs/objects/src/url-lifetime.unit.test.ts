import { expect, test } from "vitest";
import { urlLifetimeSeconds } from "./url-lifetime.ts";

const now = new Date("2026-01-01T00:00:00.000Z");
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);

test.each([
  ["as asked", 900, undefined, 900],
  ["seven days at most", 10_000_000, undefined, 604_800],
  ["not longer than the signer's session", 900, inSeconds(300.9), 300],
  ["as asked in a longer session", 900, inSeconds(3600), 900],
  ["a moment when the session is over", 900, inSeconds(-5), 1],
])("%s", (_, asked, expiration, seconds) => {
  expect(urlLifetimeSeconds(asked, now, expiration)).toBe(seconds);
});
