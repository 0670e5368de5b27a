import { randomUUID } from "node:crypto";
import type { Bus } from "@longhaul/bus";
import { createLogger } from "@longhaul/runtime";
import { connectStore, type Store } from "@longhaul/store";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { type OwnServer, startOwnServer } from "../support/own-server.ts";
import { jobLogConformance } from "./job-log.ts";
import { jobViewsConformance } from "./job-views.ts";
import { payloadsConformance } from "./payloads.ts";
import { openBus, realJobLog, realJobViews, realPayloads, realResultStore, realWorkQueue } from "./real-benches.ts";
import { resultStoreConformance } from "./result-store.ts";
import { workQueueConformance } from "./work-queue.ts";

let server: OwnServer;
let bus: Bus;
let store: Store;
const config = {
  mongodbUrl: inject("mongodbUrl"),
  mongodbViewsDatabase: `conformance_${randomUUID().slice(0, 8)}`,
  mongodbTimeoutMs: 20_000,
  mongodbMaxPoolSize: 5,
};

beforeAll(async () => {
  store = connectStore(config, createLogger("conformance", "silent"));
  server = await startOwnServer("nats");
  bus = await openBus(server.url);
});
afterAll(async () => {
  await store?.close();
  const client = new MongoClient(config.mongodbUrl);
  await client.db(config.mongodbViewsDatabase).dropDatabase();
  await client.close();
  await bus?.close();
  await server?.remove();
});

describe("JOBS of nats-server", () => jobLogConformance(realJobLog(() => bus)));
describe("WORK of nats-server", () => workQueueConformance(realWorkQueue(() => bus)));
describe("the views in MongoDB", () => jobViewsConformance(realJobViews(() => store)));
describe("the results in S3", () => resultStoreConformance(realResultStore(inject("s3"))));
describe("payloads in S3", () => payloadsConformance(realPayloads(inject("s3"))));
