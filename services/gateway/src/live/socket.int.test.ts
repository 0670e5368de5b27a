import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type OwnServer, startOwnServer } from "../../../../tests/support/own-server.ts";
import { until } from "../../../../tests/support/until.ts";
import { openSocket, type TestSocket } from "../testing/frames.ts";
import { type JobSteps, jobSteps } from "../testing/job-steps.ts";
import { pushStoredWrites, startTestGateway, type TestGateway } from "../testing/test-gateway.ts";

let nats: OwnServer;
let gateway: TestGateway;
let steps: JobSteps;
const open: TestSocket[] = [];

beforeAll(async () => {
  nats = await startOwnServer("nats");
  const env = { MONGODB_VIEWS_DATABASE: "gateway_socket", STREAM_KEEPALIVE_MS: "400", WATCH_RECHECK_MS: "400" };
  gateway = await startTestGateway({ natsUrl: nats.url, mongodbUrl: inject("mongodbUrl"), s3: inject("s3"), env });
  steps = jobSteps(gateway);
  pushStoredWrites(gateway);
});

afterAll(async () => {
  for (const socket of open) socket.close();
  await gateway?.close();
  await nats?.remove();
});

async function createJob(): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": "ada" },
    body: '{"fileIds":[70000]}',
  });
  return ((await response.json()) as { id: string }).id;
}

function follow(id: string, query = "", protocols: string[] = []): TestSocket {
  const socket = openSocket(`${gateway.url}/v1/downloads/${id}/ws${query}`, protocols);
  open.push(socket);
  return socket;
}

const data = (socket: TestSocket) => socket.frames.filter((frame) => frame.type === "job" || frame.type === "progress");
const frame = (socket: TestSocket, at: number) => until(`data frame ${at}`, () => data(socket)[at], 5000);

describe("following a job", () => {
  test("from queued to its end: the job, its progress, the final frame, 1000", async () => {
    const id = await createJob();
    const socket = follow(id, "", ["longhaul.v1"]);
    expect(await frame(socket, 0)).toMatchObject({ type: "job", final: false, job: { id, status: "queued" } });
    expect(socket.protocol()).toBe("longhaul.v1");

    const seq = await steps.claim(id);
    expect(await frame(socket, 1)).toMatchObject({ version: `${seq}.0`, job: { status: "processing" } });
    const progress = { filesTotal: 1, filesDone: 0, filesFailed: 0, bytesTotal: 9, bytesDone: 4, phase: "reading" };
    const unknown = { bytesPerSecond: null, etaSeconds: null, currentFileId: 70_000 };
    const message = { userHash: "x", seq, n: 1, progress: { ...progress, ...unknown, phase: "reading" as const } };
    gateway.core.pushProgress(id, message, null);
    expect(await frame(socket, 2)).toMatchObject({ type: "progress", version: `${seq}.1`, progress: { bytesDone: 4 } });

    const end = await steps.complete(id);
    expect(await frame(socket, 3)).toMatchObject({ version: `${end}.0`, final: true, job: { status: "completed" } });
    expect(await socket.closed).toBe(1000);
    expect(data(socket)).toHaveLength(4);
  });

  test("whoever comes back with a version gets what is newer, and nothing else", async () => {
    const id = await createJob();
    const first = await frame(follow(id), 0);
    const again = follow(id, `?since=${first.version}`);
    const ahead = follow(id, `?since=${first.version?.split(".")[0]}.5`);
    const impossible = follow(id, "?since=999999999.0");
    const nonsense = follow(id, "?since=banana");
    expect((await frame(impossible, 0)).version).toBe(first.version);
    expect((await frame(nonsense, 0)).version).toBe(first.version);
    const seq = await steps.claim(id);
    expect(await frame(again, 0)).toMatchObject({ type: "job", version: `${seq}.0` });
    expect(await frame(ahead, 0)).toMatchObject({ type: "job", version: `${seq}.0` });
  });

  test("an end that is known already closes at once; one that is not is told first", async () => {
    const id = await createJob();
    const seq = await steps.fail(id);
    const knowing = follow(id, `?since=${seq}.0`);
    expect(await knowing.closed).toBe(1000);
    expect(data(knowing)).toEqual([]);
    const late = follow(id);
    expect(await late.closed).toBe(1000);
    expect(data(late)).toMatchObject([{ type: "job", final: true, job: { status: "failed" } }]);
  });

  test("a retry that another gateway made is not answered with the old end", async () => {
    const id = await createJob();
    await steps.fail(id);
    const headers = { "x-user-id": "ada" };
    await fetch(`${gateway.url}/v1/downloads/${id}`, { headers });
    await steps.command(id, "retry");
    const socket = follow(id);
    expect(await frame(socket, 0)).toMatchObject({ final: false, job: { status: "queued" } });
  });

  test("a write whose push was lost is found by reading again", async () => {
    const id = await createJob();
    const socket = follow(id);
    await frame(socket, 0);
    await gateway.jobs.newest(id);
    const seq = await steps.claim(id);
    expect((await frame(socket, 1)).version).toBe(`${seq}.0`);
  });

  test("progress comes at most ten times a second, the newest of it always", async () => {
    const id = await createJob();
    const seq = await steps.claim(id);
    const socket = follow(id);
    await frame(socket, 0);
    const base = { filesTotal: 1, filesDone: 0, filesFailed: 0, bytesTotal: 900, bytesPerSecond: null };
    for (let n = 1; n <= 300; n++) {
      const progress = { ...base, bytesDone: n, etaSeconds: null, currentFileId: null, phase: "reading" as const };
      gateway.core.pushProgress(id, { userHash: "x", seq, n, progress }, null);
    }
    await until("the newest progress", () => data(socket).at(-1)?.progress?.bytesDone === 300, 5000);
    expect(data(socket).length).toBeLessThan(10);
  });

  test("an erased job ends with bye", async () => {
    const id = await createJob();
    const socket = follow(id);
    await frame(socket, 0);
    await steps.command(id, "erase");
    expect(await socket.closed).toBe(1000);
    expect(socket.frames.at(-1)).toMatchObject({ type: "bye", reason: "JOB_ERASED", reconnect: false });
  });
});

describe("the protocol", () => {
  test("ping is answered, silence is broken, and keepalives name the version", async () => {
    const id = await createJob();
    const socket = follow(id);
    const first = await frame(socket, 0);
    socket.send('{"type":"ping","id":"p1"}');
    const pong = await until("the pong", () => socket.frames.find(({ type }) => type === "pong"), 5000);
    expect(pong.id).toBe("p1");
    const keepalive = await until("a keepalive", () => socket.frames.find(({ type }) => type === "keepalive"), 5000);
    expect(keepalive.version).toBe(first.version);
  });

  test.for([
    ["no JSON", "hello"],
    ["an unknown frame", '{"type":"subscribe","id":"x"}'],
    ["a large frame", `{"type":"ping","id":"${"x".repeat(5000)}"}`],
    ["a frame of a megabyte", "x".repeat(1024 ** 2)],
    ["bytes", new Uint8Array([1, 2, 3])],
  ] as const)("%s ends with 1008", async ([, text]) => {
    const socket = follow(await createJob());
    await frame(socket, 0);
    socket.send(text);
    expect(await socket.closed).toBe(1008);
    expect(socket.frames.at(-1)).toMatchObject({ type: "bye", code: 1008, reconnect: false });
  });

  test("more than 20 frames in 10 seconds end with 1008", async () => {
    const socket = follow(await createJob());
    await frame(socket, 0);
    for (let i = 0; i < 21; i++) socket.send('{"type":"ping"}');
    expect(await socket.closed).toBe(1008);
    expect(socket.frames.filter(({ type }) => type === "pong")).toHaveLength(20);
  });

  test("unknown, other people's and misshapen ids end with 4404, after the handshake", async () => {
    const id = await createJob();
    for (const path of [randomUUID(), "x"]) expect(await follow(path).closed).toBe(4404);
    const other = follow(id, "?user_id=eve");
    expect(await other.closed).toBe(4404);
    expect(other.frames).toMatchObject([{ type: "bye", code: 4404, reason: "NOT_FOUND", reconnect: false }]);
    await frame(follow(id, "?user_id=ada"), 0);
  });

  test("a handshake that cannot be is refused with a problem", async () => {
    const id = await createJob();
    const path = `/v1/downloads/${id}/ws`;
    expect((await fetch(gateway.url + path)).status).toBe(426);
    expect(await upgrade(path, { origin: "http://evil.example" })).toEqual([403, "ORIGIN_NOT_ALLOWED"]);
    expect(await upgrade(path, { "sec-websocket-protocol": "chat, soap" })).toEqual([400, "VALIDATION_ERROR"]);
    expect(await upgrade("/v1/nothing", {})).toEqual([404, "NOT_FOUND"]);
    expect((await upgrade(path, { origin: "http://localhost:3000" }))[0]).toBe(101);
  });
});

test("a gateway that shuts down says goodbye, and refuses new sockets", async () => {
  const env = { MONGODB_VIEWS_DATABASE: "gateway_socket" };
  const second = await startTestGateway({ natsUrl: nats.url, mongodbUrl: inject("mongodbUrl"), s3: inject("s3"), env });
  const path = `/v1/downloads/${await createJob()}/ws`;
  const socket = openSocket(second.url + path);
  await until("the first frame", () => socket.frames.length > 0);
  second.health.phase = "draining";
  const refused = openSocket(second.url + path);
  expect(await refused.closed).toBe(1006);
  expect((await fetch(`${second.url}/health/ready`)).status).toBe(503);
  await second.close();
  expect(await socket.closed).toBe(1012);
  const bye = socket.frames.at(-1);
  expect(bye).toMatchObject({ type: "bye", code: 1012, reason: "SHUTDOWN", reconnect: true });
  expect(bye?.afterMs).toBeLessThanOrEqual(5000);
});

/** A handshake by hand, for what a WebSocket client does not show: status and problem code. */
function upgrade(path: string, headers: Record<string, string>): Promise<[number, string]> {
  const handshake = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  return new Promise((resolve, reject) => {
    const sent = request(gateway.url + path, { headers: { ...handshake, ...headers } });
    sent.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve([response.statusCode ?? 0, ""]);
    });
    sent.on("response", async (response) => {
      const text = (await response.toArray()).map(String).join("");
      resolve([response.statusCode ?? 0, (JSON.parse(text) as { code: string }).code]);
    });
    sent.on("error", reject);
    sent.end();
  });
}
