import { setImmediate } from "node:timers/promises";
import type { JobClass } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { PartBuffers, type Reservation } from "./part-buffers.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;

const of = (jobClass: JobClass, bytes: number, owner = "u") => ({ jobClass, owner, bytes });

/** A reservation, and whether it was made by now. */
function ask(buffers: PartBuffers, bytes: number, { owner = "u", signal = never } = {}) {
  const asked: { held: Reservation | null; done: Promise<Reservation> } = {
    held: null,
    done: buffers.reserve({ jobClass: "normal", owner, bytes }, signal),
  };
  asked.done.then(
    (reservation) => {
      asked.held = reservation;
    },
    () => {},
  );
  return asked;
}

test("a class has its share and no more, whatever the others leave", async () => {
  const buffers = new PartBuffers(256 * MIB);
  expect([buffers.shareOf("high"), buffers.shareOf("normal"), buffers.shareOf("batch")]).toEqual([
    64 * MIB,
    128 * MIB,
    64 * MIB,
  ]);
  await expect(buffers.reserve(of("high", 64 * MIB + 1), never)).rejects.toThrow(RangeError);
  const flood = await buffers.reserve(of("batch", 64 * MIB), never);
  const beside = await buffers.reserve(of("high", 64 * MIB), never);
  expect([buffers.reservedBy("batch"), buffers.reservedBy("high")]).toEqual([64 * MIB, 64 * MIB]);
  flood.release();
  beside.release();
  expect([buffers.reservedBy("batch"), buffers.reservedBy("high")]).toEqual([0, 0]);
});

test("who asks for much is served before those who asked for little after it", async () => {
  const buffers = new PartBuffers(20 * MIB);
  const first = ask(buffers, 8 * MIB);
  const large = ask(buffers, 10 * MIB);
  const small = ask(buffers, 1 * MIB);
  await setImmediate();
  expect([first.held !== null, large.held, small.held]).toEqual([true, null, null]);
  first.held?.release();
  await setImmediate();
  expect([large.held !== null, small.held]).toEqual([true, null]);
  large.held?.release();
  await setImmediate();
  expect(small.held).not.toBeNull();
});

test("who has one archive waits for the next that ends, not for another user's twenty", async () => {
  const buffers = new PartBuffers(20 * MIB);
  const flood = Array.from({ length: 20 }, () => ask(buffers, 2 * MIB, { owner: "many" }));
  await setImmediate();
  expect(flood.filter(({ held }) => held !== null)).toHaveLength(5);
  flood[0]?.held?.release();
  await setImmediate();
  const [one, two] = [ask(buffers, 2 * MIB, { owner: "few" }), ask(buffers, 2 * MIB, { owner: "few" })];
  flood[1]?.held?.release();
  await setImmediate();
  expect([one.held !== null, two.held]).toEqual([true, null]);
  // The second counts one against the four of the flood.
  flood[2]?.held?.release();
  await setImmediate();
  expect(two.held).not.toBeNull();
  expect(flood.filter(({ held }) => held !== null)).toHaveLength(6);
});

test("users who hold as much as each other are served in the order in which they came", async () => {
  const buffers = new PartBuffers(20 * MIB);
  const first = ask(buffers, 10 * MIB, { owner: "a" });
  const waiting = ["b", "c", "b", "a"].map((owner) => ask(buffers, 4 * MIB, { owner }));
  await setImmediate();
  first.held?.release();
  await setImmediate();
  expect(waiting.map(({ held }) => held !== null)).toEqual([true, true, false, false]);
  // The last, of who holds nothing now, before the third.
  waiting[1]?.held?.release();
  await setImmediate();
  expect(waiting.map(({ held }) => held !== null)).toEqual([true, true, false, true]);
});

test("a large archive whose turn it is keeps it, also when those who hold less keep coming", async () => {
  const buffers = new PartBuffers(20 * MIB);
  const small = Array.from({ length: 5 }, (_, i) => ask(buffers, 2 * MIB, { owner: i === 0 ? "large" : `u${i}` }));
  const large = ask(buffers, 8 * MIB, { owner: "large" });
  await setImmediate();
  for (let i = 1; i < 5; i++) {
    small[i]?.held?.release();
    const newer = ask(buffers, 2 * MIB, { owner: `v${i}` });
    await setImmediate();
    expect([large.held !== null, newer.held]).toEqual([i === 4, null]);
  }
});

test("who gives up lets those behind through, and nothing is lost", async () => {
  const buffers = new PartBuffers(20 * MIB);
  const first = ask(buffers, 8 * MIB);
  const stop = new AbortController();
  const large = ask(buffers, 10 * MIB, { signal: stop.signal });
  const small = ask(buffers, 2 * MIB);
  await setImmediate();
  stop.abort(new Error("stopped"));
  await expect(large.done).rejects.toThrow("stopped");
  expect((await small.done).bytes).toBe(2 * MIB);
  first.held?.release();
  first.held?.release();
  small.held?.release();
  expect(buffers.reservedBy("normal")).toBe(0);
});

test("any number of archives of any size all get through", async () => {
  const buffers = new PartBuffers(20 * MIB);
  let most = 0;
  const archives = Array.from({ length: 200 }, async (_, i) => {
    const reservation = await buffers.reserve(of("normal", (((i * 7919) % 10) + 1) * MIB, `u${i % 7}`), never);
    most = Math.max(most, buffers.reservedBy("normal"));
    await setImmediate();
    reservation.release();
  });
  await Promise.all(archives);
  expect(most).toBeLessThanOrEqual(10 * MIB);
  expect(buffers.reservedBy("normal")).toBe(0);
});
