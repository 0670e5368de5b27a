import { expect, test } from "vitest";
import { TimeoutError, withTimeout } from "./deadline.ts";

test("work that ends in time gives its result", async () => {
  expect(await withTimeout(async () => 42, 1000, "The answer")).toBe(42);
});

test("work that ignores its signal is left behind at the deadline, and its signal is aborted", async () => {
  let seen: AbortSignal | undefined;
  const work = withTimeout(
    (signal) => {
      seen = signal;
      return new Promise(() => {});
    },
    20,
    "The call",
  );
  await expect(work).rejects.toMatchObject({ code: "TIMEOUT", message: "The call did not end within 20 ms." });
  expect(seen?.reason).toBeInstanceOf(TimeoutError);
});

test("the caller's reason comes through", async () => {
  const caller = new AbortController();
  const work = withTimeout(() => new Promise(() => {}), 60_000, "The call", caller.signal);
  caller.abort(new Error("not needed any more"));
  await expect(work).rejects.toThrow("not needed any more");
  await expect(withTimeout(async () => 1, 1000, "The call", caller.signal)).rejects.toThrow("not needed any more");
});
