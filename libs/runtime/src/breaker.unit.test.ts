import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { Breaker } from "./breaker.ts";

const RESET_MS = 60_000;
const SETTINGS = { breakerErrorPercent: 50, breakerMinCalls: 4, breakerResetMs: RESET_MS };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class Failure extends Error {}
class Refusal extends Error {}

/** A side that fails while `away`, and its breaker. */
function aSide() {
  const side = { away: false, calls: 0, changes: [] as boolean[], probe: Promise.withResolvers<void>(), slow: false };
  const breaker = new Breaker({
    name: "side",
    settings: SETTINGS,
    judge: (error) => (error instanceof Failure ? "failure" : error instanceof Refusal ? "answer" : "nothing"),
    async probe() {
      side.calls++;
      if (side.slow) await side.probe.promise;
      if (side.away) throw new Failure();
    },
  });
  breaker.onChange((isOpen) => side.changes.push(isOpen));
  onTestFinished(() => breaker.close());
  const call = (error: Error | null = side.away ? new Failure() : null) =>
    breaker.run(async () => {
      side.calls++;
      if (error) throw error;
    });
  return { side, breaker, call };
}

const ends = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "done",
    (error: Error) => error.constructor.name,
  );

/** Opens it. */
async function anOpenBreaker() {
  const opened = aSide();
  opened.side.away = true;
  for (let i = 0; i < SETTINGS.breakerMinCalls; i++) await ends(opened.call());
  expect(opened.breaker.isOpen).toBe(true);
  opened.side.calls = 0;
  return opened;
}

test("it opens when more than half of the last calls failed, and not before so many were made", async () => {
  const { side, breaker, call } = aSide();
  side.away = true;
  for (let i = 0; i < 3; i++) expect(await ends(call())).toBe("Failure");
  expect(breaker.isOpen).toBe(false);
  expect(await ends(call())).toBe("Failure");
  expect(breaker.isOpen).toBe(true);
  expect(side.changes).toEqual([true]);
});

test("half of them is not enough", async () => {
  const { breaker, call } = aSide();
  for (const error of [null, new Failure(), null, new Failure(), null, new Failure()]) await ends(call(error));
  expect(breaker.isOpen).toBe(false);
});

test("an error that is an answer counts as a success, and a call that was given up not at all", async () => {
  const { breaker, call } = aSide();
  for (const error of [new Failure(), new Failure(), new Refusal(), new Refusal()]) await ends(call(error));
  expect(breaker.isOpen).toBe(false);
  for (let i = 0; i < 10; i++) await ends(call(new Error("given up")));
  // The first two take the places of the two old failures.
  for (let i = 0; i < 2; i++) await ends(call(new Failure()));
  expect(breaker.isOpen).toBe(false);
  await ends(call(new Failure()));
  expect(breaker.isOpen).toBe(true);
});

test("the failure that opens it is told when it is open already", async () => {
  const { side, breaker, call } = aSide();
  side.away = true;
  for (let i = 0; i < 3; i++) await ends(call());
  await call().catch(() => expect(breaker.isOpen).toBe(true));
  expect.assertions(1);
});

test("while it is open calls are refused without being made, and told when the next probe is", async () => {
  const { side, breaker, call } = await anOpenBreaker();
  await vi.advanceTimersByTimeAsync(20_000);
  await expect(call()).rejects.toMatchObject({ code: "BREAKER_OPEN", retryAfterMs: RESET_MS - 20_000 });
  expect(await ends(readAll(breaker.stream(() => expect.fail("it was opened"))))).toBe("BreakerOpenError");
  expect(side.calls).toBe(0);
});

test("who was refused, or failed while it opened, is to wait; any other error stands for itself", async () => {
  const closed = aSide();
  for (const error of [new Failure(), new Refusal(), new Error()]) expect(closed.breaker.waitMs(error)).toBeNull();
  const { breaker, call } = await anOpenBreaker();
  await vi.advanceTimersByTimeAsync(20_000);
  const refused = await call().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(breaker.waitMs(refused)).toBe(RESET_MS - 20_000);
  expect(breaker.waitMs(new Failure())).toBe(RESET_MS - 30_000);
  expect(breaker.waitMs(new Failure(), 300_000)).toBe(300_000);
  for (const error of [new Refusal(), new Error()]) expect(breaker.waitMs(error, 300_000)).toBeNull();
});

test("a probe that succeeds closes it", async () => {
  const { side, breaker, call } = await anOpenBreaker();
  side.away = false;
  await vi.advanceTimersByTimeAsync(RESET_MS);
  expect(side).toMatchObject({ calls: 1, changes: [true, false] });
  expect(breaker).toMatchObject({ isOpen: false, retryAfterMs: 0 });
  expect(await ends(call())).toBe("done");
});

test("a probe that fails keeps it open until the next, and is no news", async () => {
  const { side, breaker } = await anOpenBreaker();
  await vi.advanceTimersByTimeAsync(RESET_MS * 3);
  expect(side).toMatchObject({ calls: 3, changes: [true] });
  expect(breaker.retryAfterMs).toBe(RESET_MS);
});

test("while the probe is under way calls are still refused, and asked to come back soon", async () => {
  const { side, call } = await anOpenBreaker();
  side.slow = true;
  await vi.advanceTimersByTimeAsync(RESET_MS);
  await expect(call()).rejects.toMatchObject({ code: "BREAKER_OPEN", retryAfterMs: 1_000 });
  side.away = false;
  side.probe.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(await ends(call())).toBe("done");
});

test("it does not matter that the wall clock is set back", async () => {
  const { side, breaker } = await anOpenBreaker();
  vi.setSystemTime(Date.now() - 3_600_000);
  side.away = false;
  await vi.advanceTimersByTimeAsync(RESET_MS);
  expect(breaker.isOpen).toBe(false);
});

test("closed for good, it sends no probe", async () => {
  const { side, breaker } = await anOpenBreaker();
  breaker.close();
  await vi.advanceTimersByTimeAsync(RESET_MS * 2);
  expect(side.calls).toBe(0);
});

async function* pieces(count: number, error?: Error) {
  for (let i = 0; i < count; i++) yield i;
  if (error) throw error;
}

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

test("a stream is one call, that ends with its last piece or its failure", async () => {
  const { breaker } = aSide();
  for (let i = 0; i < 4; i++) {
    expect(breaker.isOpen).toBe(false);
    expect(await ends(readAll(breaker.stream(() => pieces(3, new Failure()))))).toBe("Failure");
  }
  expect(breaker.isOpen).toBe(true);
});

test("a stream whose reader stops early counts as a success", async () => {
  const { breaker, call } = aSide();
  for (let i = 0; i < 2; i++) for await (const _ of breaker.stream(() => pieces(3, new Failure()))) break;
  for (let i = 0; i < 2; i++) await ends(call(new Failure()));
  expect(breaker.isOpen).toBe(false);
});

test("a side that is away is known after a probe, however few calls were made", async () => {
  const { side, breaker, call } = aSide();
  expect(await breaker.awayMs()).toBeNull();
  side.away = true;
  await ends(call());
  side.calls = 0;
  expect(await Promise.all([breaker.awayMs(), breaker.awayMs()])).toEqual([RESET_MS / 10, RESET_MS / 10]);
  expect([side.calls, breaker.isOpen]).toEqual([1, false]);
  side.away = false;
  expect(await breaker.awayMs()).toBeNull();
});

test("a side that gives no answer to the look is away, without its own time-out being waited for", async () => {
  const { side, breaker } = aSide();
  side.slow = true;
  const away = breaker.awayMs();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await away).toBe(RESET_MS / 10);
});
