import { expect, test } from "vitest";
import { HostSlots } from "./host-slots.ts";

const NEVER = new AbortController().signal;
const HOST = "files.example";

/** Takes slots one after the other, and notes who got one and in which order. */
function takerOf(slots: HostSlots) {
  const order: string[] = [];
  const held: (() => void)[] = [];
  const take = (owner: string, signal = NEVER, host = HOST) =>
    slots.take(host, owner, signal).then((release) => {
      order.push(release === null ? `${owner} refused` : owner);
      if (release !== null) held.push(release);
      return release;
    });
  const releaseNext = async () => {
    held.shift()?.();
    await new Promise(setImmediate);
  };
  return { order, take, releaseNext };
}

test("no more than the limit of a host are taken at a time; other hosts do not matter", async () => {
  const { order, take, releaseNext } = takerOf(new HostSlots(2));
  await take("a");
  await take("b");
  const third = take("c");
  await take("d", NEVER, "other.example");
  expect(order).toEqual(["a", "b", "d"]);
  await releaseNext();
  await third;
  expect(order).toEqual(["a", "b", "d", "c"]);
});

test("owners take turns, however many one of them asks for", async () => {
  const { order, take, releaseNext } = takerOf(new HostSlots(1));
  await take("flood");
  const waiting = ["flood", "flood", "flood", "one", "two", "two"].map((owner) => take(owner));
  for (const _ of waiting) await releaseNext();
  await Promise.all(waiting);
  expect(order).toEqual(["flood", "flood", "one", "two", "flood", "two", "flood"]);
});

test("who gives up leaves the row, and takes nothing with it", async () => {
  const { order, take, releaseNext } = takerOf(new HostSlots(1));
  await take("a");
  const stop = new AbortController();
  const given = take("b", stop.signal);
  const next = take("c");
  stop.abort(new Error("stopped"));
  await expect(given).rejects.toThrow("stopped");
  await releaseNext();
  await next;
  await releaseNext();
  await take("d");
  expect(order).toEqual(["a", "c", "d"]);
  await expect(take("e", AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
});

test("a slot is given back once", async () => {
  const { order, take } = takerOf(new HostSlots(1));
  const release = await take("a");
  void take("b");
  void take("c");
  release?.();
  release?.();
  await new Promise(setImmediate);
  expect(order).toEqual(["a", "b"]);
});

test("a row that is too long takes nobody in", async () => {
  const { order, take, releaseNext } = takerOf(new HostSlots(1, 1));
  await take("a");
  const second = take("b");
  await take("c");
  expect(order).toEqual(["a", "c refused"]);
  await releaseNext();
  await second;
});
