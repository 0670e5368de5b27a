import type { Bus } from "@longhaul/bus";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { type OwnServer, startOwnServer } from "../support/own-server.ts";
import { jobLogConformance } from "./job-log.ts";
import { payloadsConformance } from "./payloads.ts";
import { openBus, realJobLog, realPayloads, realResultStore, realWorkQueue } from "./real-benches.ts";
import { resultStoreConformance } from "./result-store.ts";
import { workQueueConformance } from "./work-queue.ts";

let server: OwnServer;
let bus: Bus;

beforeAll(async () => {
  server = await startOwnServer("nats");
  bus = await openBus(server.url);
});
afterAll(async () => {
  await bus?.close();
  await server?.remove();
});

describe("JOBS of nats-server", () => jobLogConformance(realJobLog(() => bus)));
describe("WORK of nats-server", () => workQueueConformance(realWorkQueue(() => bus)));
describe("the results in S3", () => resultStoreConformance(realResultStore(inject("s3"))));
describe("payloads in S3", () => payloadsConformance(realPayloads(inject("s3"))));
