import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { PartBuffers, type Reservation } from "./part-buffers.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;

/** A reservation, and whether it was made by now. */
function ask(buffers: PartBuffers, bytes: number, signal: AbortSignal = never) {
  const asked: { held: Reservation | null; done: Promise<Reservation> } = {
    held: null,
    done: buffers.reserve("normal", bytes, signal),
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
  await expect(buffers.reserve("high", 64 * MIB + 1, never)).rejects.toThrow(RangeError);
  const flood = await buffers.reserve("batch", 64 * MIB, never);
  const beside = await buffers.reserve("high", 64 * MIB, never);
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

test("who gives up lets those behind through, and nothing is lost", async () => {
  const buffers = new PartBuffers(20 * MIB);
  const first = ask(buffers, 8 * MIB);
  const stop = new AbortController();
  const large = ask(buffers, 10 * MIB, stop.signal);
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
    const reservation = await buffers.reserve("normal", (((i * 7919) % 10) + 1) * MIB, never);
    most = Math.max(most, buffers.reservedBy("normal"));
    await setImmediate();
    reservation.release();
  });
  await Promise.all(archives);
  expect(most).toBeLessThanOrEqual(10 * MIB);
  expect(buffers.reservedBy("normal")).toBe(0);
});
