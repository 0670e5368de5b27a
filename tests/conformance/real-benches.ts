import {
  type Bus,
  BusError,
  busMigrations,
  connectBus,
  createJobStore,
  createWorkQueue,
  startPuller,
} from "@longhaul/bus";
import { STREAMS } from "@longhaul/contracts";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import type { Store } from "@longhaul/store";
import type { S3Access } from "../../deploy/local/src/stack/environment.ts";
import { createJobLog } from "../../libs/bus/src/job-store.ts";
import { createResultStore } from "../../services/processor/src/result-store.ts";
import { openObjects } from "../support/objects.ts";
import type { Bench } from "./bench.ts";
import { Inbox } from "./inbox.ts";
import type { JobLogDriver } from "./job-log.ts";
import type { JobViewsDriver } from "./job-views.ts";
import type { PayloadsDriver } from "./payloads.ts";
import type { ResultStoreDriver } from "./result-store.ts";
import type { WorkQueueDriver } from "./work-queue.ts";

const MIB = 1024 ** 2;
const ACK_WAIT_MS = 1_000;
const JOBS_MAX_BYTES = MIB;
const TIMEOUT_MS = 5_000;

const log = createLogger("conformance", "error");
const common = { clock: systemClock, random: systemRandom, log, timeoutMs: TIMEOUT_MS };

/** Opens a bus and makes the streams, as `npm run migrate` does. */
export async function openBus(url: string): Promise<Bus> {
  const bus = await connectBus({ servers: [url], name: "conformance", log });
  const settings = { replicas: 1, jobsMaxBytes: JOBS_MAX_BYTES, ackWaitMs: ACK_WAIT_MS };
  for (const step of busMigrations) await step.up(bus, settings);
  return bus;
}

export function realJobLog(bus: () => Bus): Bench<JobLogDriver> {
  return {
    async run(test) {
      const jobLog = createJobLog(bus());
      await test({
        log: jobLog,
        put: createJobStore(bus(), common).put,
        messages: async () => (await jobsState(bus())).messages,
        fill,
        sleep: systemClock.sleep,
      });
    },
  };
}

export function realWorkQueue(bus: () => Bus): Bench<WorkQueueDriver> {
  return {
    async run(test) {
      const queue = createWorkQueue(bus(), common);
      const inbox = new Inbox(systemClock);
      const puller = startPuller(bus(), {
        slotsPerClass: { high: 5, normal: 20, batch: 5 },
        async onItem(delivery) {
          if (delivery.item === null) throw new Error(`an unreadable item: ${delivery.subject}`);
          const { sequence, deliveryCount, item } = delivery;
          const { ack, nak, working } = delivery;
          inbox.add({ id: item.id, sequence, count: deliveryCount, ack, nak, working });
        },
        log,
      });
      try {
        await test({
          ackWaitMs: ACK_WAIT_MS,
          enqueue: (record) => queue.enqueue(record, null),
          itemAlive: queue.itemAlive,
          take: (id, withinMs) => inbox.take(id, withinMs),
          sleep: systemClock.sleep,
          now: systemClock.monotonic,
        });
      } finally {
        await puller.stop();
      }
    },
  };
}

export function realResultStore(access: S3Access): Bench<ResultStoreDriver> {
  return {
    async run(test) {
      const objects = openObjects(access);
      try {
        const putSource = async (key: string, bytes: Uint8Array) => {
          const { etag } = await objects.source.put(key, bytes, { sizeBytes: bytes.length, contentType: "text/plain" });
          return { bucket: objects.source.name, etag };
        };
        await test({ store: createResultStore(objects.results), partBytes: 5 * MIB, putSource, copies: true });
      } finally {
        objects.close();
      }
    },
  };
}

export function realPayloads(access: S3Access): Bench<PayloadsDriver> {
  return {
    async run(test) {
      const objects = openObjects(access);
      try {
        await test({ payloads: objects.payloads, store: createResultStore(objects.results) });
      } finally {
        objects.close();
      }
    },
  };
}

export function realJobViews(store: () => Store): Bench<JobViewsDriver> {
  return {
    async run(test) {
      const { views, ending, unfinished } = store();
      const upsert = async (view: Parameters<JobViewsDriver["upsert"]>[0]) => void (await views.upsertMany([view]));
      await test({ upsert, get: views.get, ending, unfinished });
    },
  };
}

async function fill(write: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const full = await write().then(
      () => false,
      (error: unknown) => error instanceof BusError && error.code === "FULL",
    );
    if (full) return;
  }
}

async function jobsState(bus: Bus): Promise<{ messages: number; bytes: number }> {
  const answer = await bus.requests.request(`$JS.API.STREAM.INFO.${STREAMS.jobs}`, "", { timeoutMs: TIMEOUT_MS });
  const info: { state: { messages: number; bytes: number } } = JSON.parse(Buffer.from(answer.data).toString());
  return info.state;
}
