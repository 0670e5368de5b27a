import type { ProgressMessage } from "@longhaul/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnBus, startOwnBus } from "../../../tests/support/own-bus.ts";
import { until } from "../../../tests/support/until.ts";
import type { Bus } from "./connect.ts";
import { createCore, type PushMessage } from "./core.ts";
import type { StoredMessage } from "./stored.ts";
import { aNewJob, aRecord, PUT, silent, storeOf, TRACEPARENT } from "./testing/fixtures.ts";

let server: OwnBus;
let bus: Bus;

beforeAll(async () => {
  server = await startOwnBus();
  bus = server.bus;
});
afterAll(() => server?.remove());

const progressOf = (seq: number, n: number): ProgressMessage => ({
  userHash: "u".repeat(22),
  seq,
  n,
  progress: aRecord().progress,
});

test("a stored write reaches its subscribers, and through a push the watchers, byte for byte", async () => {
  const core = createCore(bus, silent);
  const change = aNewJob();
  const { id } = change.record;
  const stored: StoredMessage[] = [];
  const pushed: PushMessage[] = [];
  core.subscribeStored(id, (message) => stored.push(message));
  core.subscribeStored("*", (message) => core.pushStored("hash", message), { queue: "notifier" });
  core.subscribeStored("*", (message) => core.pushStored("hash", message), { queue: "notifier" });
  core.subscribePush(id, (push) => pushed.push(push));

  const result = await storeOf(bus).put(id, 0, change, PUT);
  if (result.kind !== "done") throw new Error(result.kind);
  await until("it was stored and pushed", () => stored.length === 1 && pushed.length === 1);

  expect(stored[0]).toMatchObject({
    seq: result.seq,
    record: result.record,
    traceparent: TRACEPARENT,
    type: "download.requested.v1",
  });
  const [push] = pushed;
  if (push?.kind !== "stored") throw new Error("not a stored push");
  expect({ id: push.id, seq: push.stored.seq }).toEqual({ id, seq: result.seq });
  expect(Buffer.from(push.stored.bytes)).toEqual(Buffer.from(stored[0]?.bytes ?? []));
});

test("progress goes to one notifier with its trace, and to the watchers of its job", async () => {
  const core = createCore(bus, silent);
  const { id } = aRecord();
  const [message, other] = [progressOf(3, 1), progressOf(9, 4)];
  const heard: unknown[] = [];
  const pushed: PushMessage[] = [];
  core.subscribeProgress((...args) => heard.push(args), { queue: "notifier" });
  core.subscribePush(id, (push) => pushed.push(push));
  core.publishProgress(id, message, TRACEPARENT);
  core.pushProgress(aRecord().id, other, null);
  core.pushProgress(id, message, TRACEPARENT);
  await until("both arrived", () => heard.length > 0 && pushed.length > 0);
  expect(heard).toEqual([[id, message, TRACEPARENT]]);
  expect(pushed).toEqual([{ kind: "progress", id, message }]);
});

test("what nobody can read, and a handler that throws, end nothing; a closed subscription hears nothing", async () => {
  const core = createCore(bus, silent);
  const { id } = aRecord();
  const heard: number[] = [];
  const subscription = core.subscribePush(id, (push) => {
    if (push.kind !== "progress") return;
    heard.push(push.message.n);
    if (push.message.n === 1) throw new Error("a defect of the handler");
  });
  bus.nc.publish(`download.push.hash.${id}`, "{");
  for (const n of [1, 2]) core.pushProgress(id, progressOf(1, n), null);
  await until("both arrived", () => heard.length === 2);
  subscription.close();
  core.pushProgress(id, progressOf(1, 3), null);
  await bus.nc.flush();
  expect(heard).toEqual([1, 2]);
});
