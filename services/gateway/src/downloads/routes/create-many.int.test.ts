import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type ApiJob, type JobRecord, RECORD_MAX_BYTES } from "@longhaul/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { findS3, type OwnS3, S3_SERVERS, startS3 } from "../../../../../tests/support/own-s3.ts";
import { type OwnServer, startOwnServer } from "../../../../../tests/support/own-server.ts";
import { until } from "../../../../../tests/support/until.ts";
import { startTestGateway, type TestGateway, type TestServers } from "../../testing/test-gateway.ts";
import { workItemOf } from "../../testing/work-items.ts";

const FILES = 100_000;
const BODY_LIMIT_BYTES = 1_200_000;
const SETTINGS = {
  MONGODB_VIEWS_DATABASE: "gateway_create_many",
  JOB_MAX_FILES: String(FILES),
  BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES),
};
/** With the longest ids that there are. */
const ids = (count: number) => Array.from({ length: count }, (_, i) => 100_000_000 - i);

let nats: OwnServer;
beforeAll(async () => {
  nats = await startOwnServer("nats");
});
afterAll(() => nats?.remove());

const start = (s3: TestServers["s3"], env: Record<string, string> = {}) =>
  startTestGateway({ natsUrl: nats.url, mongodbUrl: inject("mongodbUrl"), s3, env: { ...SETTINGS, ...env } });

async function create({ url }: TestGateway, fileIds: number[], key?: string) {
  const headers = { "content-type": "application/json", ...(key ? { "idempotency-key": key } : {}) };
  const response = await fetch(`${url}/v1/downloads`, { method: "POST", headers, body: JSON.stringify({ fileIds }) });
  const body = (await response.json()) as ApiJob & { code: string; detail: string };
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body };
}

async function recordOf({ jobs }: TestGateway, id: string): Promise<JobRecord> {
  const stored = await jobs.newest(id);
  if (!stored || stored.record.status === "erased") throw new Error(`there is no job ${id}`);
  return stored.record;
}

for (const implementation of S3_SERVERS) {
  const server = await findS3(implementation);
  describe(implementation, () => {
    beforeEach(({ skip }) => skip(!server, `${implementation} is not in the cache`));
    let s3: OwnS3;
    let gateway: TestGateway;
    beforeAll(async () => {
      if (!server) return;
      s3 = await startS3(server);
      gateway = await start(s3);
    });
    afterAll(async () => {
      await gateway?.close();
      await s3?.remove();
    });

    test("a list of 100,000 files lies beside the record, which names it", async () => {
      const { status, body } = await create(gateway, ids(FILES), `many-${implementation}`);
      expect([status, body.progress.filesTotal]).toEqual([202, FILES]);
      const record = await recordOf(gateway, body.id);
      expect(record).toMatchObject({ named: true, spec: { fileIds: null, filesTotal: FILES } });
      expect(Buffer.byteLength(JSON.stringify(record))).toBeLessThan(RECORD_MAX_BYTES / 8);
      const { ref } = record.spec;
      expect(ref?.key).toMatch(new RegExp(`^payload/default/${body.id}/`));
      expect(ref && (await gateway.objects.payloads.get(ref))).toEqual(ids(FILES));
      const item = await until("the work item", () => workItemOf(gateway, record));
      expect(item.known?.record.spec).toEqual(record.spec);

      const shown = await fetch(`${gateway.url}/v1/downloads/${body.id}`);
      expect([shown.status, await shown.json()]).toEqual([200, body]);
    });

    test("a repeat is the same job, and one with another last file is another request", async () => {
      const key = `repeat-${implementation}`;
      const first = await create(gateway, ids(2_000), key);
      expect(await create(gateway, ids(2_000), key)).toMatchObject({ status: 202, body: { id: first.body.id } });
      const other = await create(gateway, [...ids(1_999), 70_000], key);
      expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    });
  });
}

test("a body with more than it may hold is refused with the size that it may have", async () => {
  const gateway = await start(inject("s3"), { BODY_LIMIT_BYTES: "4096" });
  onTestFinished(() => gateway.close());
  const { status, body } = await create(gateway, ids(1_000));
  expect([status, body.code]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
  expect(body.detail).toContain("4096 bytes");
});

/** An S3 that takes connections and never says a word. */
async function silentS3(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  ["refuses connections", async () => "http://127.0.0.1:1"],
  ["does not answer", silentS3],
])(
  "while object storage %s a long list is refused before anything is stored, and a usual one is taken",
  async (_, url) => {
    const endpoint = await url();
    const gateway = await start({ ...inject("s3"), endpoint }, { REQUEST_TIMEOUT_MS: "3000" });
    onTestFinished(() => gateway.close());
    const before = await gateway.jobs.lastSequence();
    const { status, retryAfter, body } = await create(gateway, ids(2_000));
    expect([status, retryAfter, body.code]).toEqual([503, "2", "DEPENDENCY_UNAVAILABLE"]);
    expect(await gateway.jobs.lastSequence()).toBe(before);

    expect(await create(gateway, ids(1_000))).toMatchObject({ status: 202 });
  },
);
