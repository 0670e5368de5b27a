import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsCluster, startNatsCluster } from "../../../tests/support/nats-cluster.ts";
import { startTcpProxy } from "../../../tests/support/tcp-proxy.ts";
import { until } from "../../../tests/support/until.ts";
import type { Bus } from "./connect.ts";
import type { JobStore } from "./job-store.ts";
import type { PutResult } from "./put-once.ts";
import { aNewJob, connectTo, migrate, PUT, SETTINGS, storeOf } from "./testing/fixtures.ts";

const JOBS = 200;
const WRITERS = 16;
/** Jobs raced for at a time. */
const WIDTH = 20;

let cluster: NatsCluster;
let buses: Bus[];
let stores: JobStore[];

beforeAll(async () => {
  cluster = await startNatsCluster();
  buses = await Promise.all(cluster.urls.map(connectTo));
  const [first] = buses;
  // A cluster that has just come up elects its leaders first.
  await until(
    "the streams of three replicas",
    () =>
      first &&
      migrate(first, { ...SETTINGS, replicas: 3 }).then(
        () => true,
        () => false,
      ),
    60_000,
  );
  stores = buses.map(storeOf);
}, 120_000);
afterAll(async () => {
  await Promise.all((buses ?? []).map((bus) => bus.close()));
  await cluster?.remove();
});

const writer = (i: number) => stores[i % stores.length] as JobStore;

/** All writers at once, each with a change of its own that names the same sequence. */
async function race(id: string, seq: number): Promise<(PutResult & { kind: "done" })[]> {
  const results = await Promise.all(
    Array.from({ length: WRITERS }, (_, i) => writer(i).put(id, seq, aNewJob({ id }), { ...PUT, deadlineMs: 20_000 })),
  );
  const winners = results.filter((result) => result.kind === "done");
  expect(results.filter((result) => result.kind === "conflict")).toHaveLength(WRITERS - winners.length);
  return winners;
}

test("16 writers race for each of 200 jobs on three servers: one creates it, and one replaces that", async () => {
  const ids = Array.from({ length: JOBS }, () => randomUUID());
  for (let i = 0; i < JOBS; i += WIDTH) {
    await Promise.all(
      ids.slice(i, i + WIDTH).map(async (id) => {
        const [created, ...alsoCreated] = await race(id, 0);
        expect(alsoCreated).toEqual([]);
        const [replaced, ...alsoReplaced] = await race(id, created?.seq ?? -1);
        expect(alsoReplaced).toEqual([]);
        const newest = await writer(i).newest(id);
        expect(newest).toMatchObject({ seq: replaced?.seq, record: { writeId: replaced?.record.writeId } });
      }),
    );
  }
}, 120_000);

test("a write whose answer is lost is found again and not written twice, whichever server it went to", async () => {
  for (const url of cluster.urls) {
    const proxy = await startTcpProxy(Number(new URL(url).port));
    const remote = await connectTo(`nats://127.0.0.1:${proxy.port}`);
    try {
      const change = aNewJob();
      const { id } = change.record;
      proxy.swallowAnswers();
      const writing = storeOf(remote).put(id, 0, change, { ...PUT, deadlineMs: 20_000 });
      const stored = await until("the write is stored", () => writer(0).newest(id));
      proxy.cut();
      expect(await writing).toEqual({ kind: "done", seq: stored.seq, record: stored.record, superseded: false });
      expect(await writer(1).newest(id)).toMatchObject({ seq: stored.seq, record: { timeline: [{}] } });
    } finally {
      await remote.close();
      await proxy.close();
    }
  }
}, 120_000);
