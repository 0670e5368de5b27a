import { BusClient } from "../sim/bus/bus-client.ts";
import { BusServer } from "../sim/bus/bus-server.ts";
import { CleanupConsumer } from "../sim/bus/cleanup-consumer.ts";
import { Connection } from "../sim/bus/connection.ts";
import { Puller } from "../sim/bus/puller.ts";
import { Witnesses } from "../sim/checks/witness.ts";
import { EPOCH, Process } from "../sim/kernel/process.ts";
import { createObjectClient } from "../sim/objects/object-client.ts";
import { crcOf, ObjectServer, type SourceObject } from "../sim/objects/object-server.ts";
import { createPayloadClient } from "../sim/objects/payload-client.ts";
import { type Options, optionsOf } from "../sim/options.ts";
import { createViewClient } from "../sim/views/view-client.ts";
import { ViewServer } from "../sim/views/view-server.ts";
import { World } from "../sim/world.ts";
import type { Bench } from "./bench.ts";
import { Inbox } from "./inbox.ts";
import type { JobLogDriver } from "./job-log.ts";
import type { JobViewsDriver } from "./job-views.ts";
import type { PayloadsDriver } from "./payloads.ts";
import type { ResultStoreDriver } from "./result-store.ts";
import type { WorkQueueDriver } from "./work-queue.ts";

const SLOTS = 10;
const ACK_WAIT_MS = 1_000;
/** Conformance is about servers in their right mind. */
const FAULTS_END_MS = 0;
const DELAY_MS: [number, number] = [0.2, 2];

type Corner = { world: World; server: BusServer; process: Process; client: BusClient; connection: Connection };

/** A world with one process and no faults. */
function quietCorner(): Corner {
  const drawn = optionsOf(1);
  const bus = { ...drawn.bus, delayMs: DELAY_MS };
  const options: Options = { ...drawn, bus, ackWaitMs: ACK_WAIT_MS, faultsEndMs: FAULTS_END_MS };
  const world = new World(1, options);
  const server = new BusServer(world);
  const process = new Process("conformance", world.scheduler, world.prng("conformance"));
  const connection = new Connection(process, server, world);
  const store = new ObjectServer(
    { lenient: false },
    () => world.now,
    () => null,
  );
  const cleanup = new CleanupConsumer(server.jobs, world.scheduler, ACK_WAIT_MS);
  const views = new ViewServer(() => world.now);
  const scene = { world, server, cleanup, views, store, witnesses: new Witnesses([]) };
  return { world, server, process, connection, client: new BusClient(connection, scene) };
}

export const simulatedJobLog: Bench<JobLogDriver> = {
  async run(test) {
    const { world, server, process, client } = quietCorner();
    const driver: JobLogDriver = {
      log: client.jobLog,
      put: client.put,
      messages: () => Promise.resolve(server.jobs.all().length),
      async fill() {
        server.jobs.full = true;
      },
      sleep: process.clock.sleep,
    };
    await world.scheduler.until(test(driver));
  },
};

export const simulatedWorkQueue: Bench<WorkQueueDriver> = {
  async run(test) {
    const { world, server, process, client, connection } = quietCorner();
    const inbox = new Inbox(process.clock);
    new Puller(connection, server, SLOTS, async (arrival) => inbox.add({ ...arrival, id: arrival.item.id }));
    const driver: WorkQueueDriver = {
      ackWaitMs: ACK_WAIT_MS,
      enqueue: (record) => client.enqueue(record, null),
      itemAlive: (sequence, id) => client.itemAlive(sequence, id),
      take: (id, withinMs) => inbox.take(id, withinMs),
      sleep: process.clock.sleep,
      now: process.clock.monotonic,
    };
    await world.scheduler.until(test(driver));
  },
};

export const simulatedJobViews: Bench<JobViewsDriver> = {
  async run(test) {
    const { world, process } = quietCorner();
    const server = new ViewServer(() => EPOCH + world.now);
    const { get, ending, housekeeping } = createViewClient(process, server, world);
    const unfinished = { page: housekeeping.unfinished };
    await world.scheduler.until(test({ upsert: async (view) => server.upsert(view), get, ending, unfinished }));
  },
};

export const simulatedResultStore = (how: { lenient: boolean }): Bench<ResultStoreDriver> => ({
  async run(test) {
    const { world, process } = quietCorner();
    const sources = new Map<string, SourceObject>();
    const server = new ObjectServer(
      how,
      () => world.now,
      (key) => sources.get(key) ?? null,
    );
    const store = createObjectClient(process, server, world, () => {});
    const putSource = async (key: string, bytes: Uint8Array) => {
      const etag = `"${crcOf(bytes)}"`;
      sources.set(key, { etag, bytes });
      return { bucket: "sources", etag };
    };
    await world.scheduler.until(test({ store, partBytes: 1_000, putSource, copies: !how.lenient }));
  },
});

export const simulatedPayloads: Bench<PayloadsDriver> = {
  async run(test) {
    const { world, process } = quietCorner();
    const server = new ObjectServer(
      { lenient: false },
      () => world.now,
      () => null,
    );
    const payloads = createPayloadClient(process, server, world);
    await world.scheduler.until(test({ payloads, store: createObjectClient(process, server, world, () => {}) }));
  },
};
