import { expect, test } from "vitest";
import { UserLanes } from "./user-lanes.ts";

function lanes(burst: number) {
  const clock = { now: 0 };
  return { clock, lanes: new UserLanes({ burst, now: () => clock.now }) };
}

test("each user has a bucket of their own, also users of one name in two tenants", () => {
  const { lanes: it } = lanes(1);
  expect([it.next("acme", "ada"), it.next("acme", "ada")]).toEqual(["fast", "bulk"]);
  expect([it.next("acme", "bob"), it.next("other", "ada")]).toEqual(["fast", "fast"]);
});

test("a user is remembered as long as the bucket is not full again", () => {
  const { lanes: it, clock } = lanes(1);
  it.next("acme", "ada");
  clock.now = 59_000;
  expect(it.next("acme", "ada")).toBe("bulk");
  clock.now = 60_000;
  expect(it.next("acme", "ada")).toBe("fast");
  clock.now = 119_000;
  expect(it.next("acme", "ada")).toBe("bulk");
});

test("more users than are remembered are served all the same", () => {
  const { lanes: it } = lanes(1);
  for (let i = 0; i < 250_000; i++) it.next("acme", `user ${i}`);
  expect(it.next("acme", "somebody")).toBe("fast");
  expect(it.next("acme", "somebody")).toBe("bulk");
});
