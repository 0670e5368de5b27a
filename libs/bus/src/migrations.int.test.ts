import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import type { Bus } from "./connect.ts";
import { assertTopology } from "./migrations.ts";
import { connectTo, migrate, SETTINGS } from "./testing/fixtures.ts";

let server: OwnServer;
let bus: Bus;

beforeAll(async () => {
  server = await startOwnServer("nats");
  bus = await connectTo(server.url);
});
afterAll(async () => {
  await bus?.close();
  await server?.remove();
});

type Config = { config: Record<string, unknown> };
const ask = async (what: string) => {
  const answer = await bus.requests.request(`$JS.API.${what}`, "", { timeoutMs: 2_000 });
  return answer.json<Config>().config;
};

test("on an empty server the services say what to run", async () => {
  await expect(assertTopology(bus, SETTINGS)).rejects.toMatchObject({
    name: "TopologyMissing",
    code: "TOPOLOGY_MISSING",
    message: expect.stringMatching(/stream JOBS is missing.*consumer projector of JOBS is missing.*npm run migrate$/),
  });
});

test("a first run makes everything, a second changes nothing, and then the services are content", async () => {
  expect(await migrate(bus)).toHaveLength(11);
  expect(await migrate(bus)).toEqual([]);
  await assertTopology(bus, SETTINGS);
});

test("streams and consumers are what the design says", async () => {
  expect(await ask("STREAM.INFO.JOBS")).toMatchObject({
    subjects: ["download.job.*"],
    storage: "file",
    retention: "limits",
    max_msgs_per_subject: 1,
    discard: "new",
    max_bytes: SETTINGS.jobsMaxBytes,
    max_age: 0,
    allow_direct: true,
    allow_msg_ttl: true,
    republish: { src: "download.job.*", dest: "download.rt.{{wildcard(1)}}" },
  });
  expect(await ask("STREAM.INFO.WORK")).toMatchObject({
    retention: "workqueue",
    max_msgs_per_subject: 1,
    discard: "new",
    discard_new_per_subject: true,
    max_bytes: -1,
  });
  const consumer = {
    ack_policy: "explicit",
    max_deliver: -1,
    ack_wait: 3e9,
    max_ack_pending: 20_000,
    max_waiting: 2048,
  };
  expect(await ask("CONSUMER.INFO.WORK.batch-bulk")).toMatchObject({
    ...consumer,
    filter_subject: "download.requested.batch.bulk.>",
  });
  for (const durable of ["projector", "cleanup"]) {
    expect(await ask(`CONSUMER.INFO.JOBS.${durable}`)).toMatchObject(consumer);
    expect(await ask(`CONSUMER.INFO.JOBS.${durable}`)).not.toHaveProperty("filter_subject");
  }
});

test("changed settings are brought in by the next run, and a service with another ack_wait refuses to start", async () => {
  const changed = { ...SETTINGS, jobsMaxBytes: SETTINGS.jobsMaxBytes * 2, ackWaitMs: 4_000 };
  const done = await migrate(bus, changed);
  expect(done[0]).toBe("changed stream JOBS: max_bytes");
  expect(done.slice(1)).toHaveLength(8);
  expect(await migrate(bus, changed)).toEqual([]);
  await assertTopology(bus, changed);
  await expect(assertTopology(bus, SETTINGS)).rejects.toThrow(
    "consumer projector of JOBS has other settings (ack_wait)",
  );
});

test("what the server cannot do is said with what to change", async () => {
  await expect(migrate(bus, { ...SETTINGS, replicas: 3 })).rejects.toMatchObject({
    code: "TOPOLOGY_REFUSED",
    message: expect.stringContaining("NATS_STREAM_REPLICAS"),
  });
  await expect(migrate(bus, { ...SETTINGS, jobsMaxBytes: 1e15 })).rejects.toMatchObject({
    code: "TOPOLOGY_REFUSED",
    message: expect.stringContaining("JOBS_MAX_BYTES"),
  });
});
