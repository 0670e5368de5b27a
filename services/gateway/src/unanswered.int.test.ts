import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { startTcpProxy, type TcpProxy } from "../../../tests/support/tcp-proxy.ts";
import { startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

let nats: OwnServer;
let proxy: TcpProxy;

beforeAll(async () => {
  nats = await startOwnServer("nats");
  proxy = await startTcpProxy(nats.port);
});

afterAll(async () => {
  await proxy?.close();
  await nats?.remove();
});

/** A gateway that NATS hears and does not answer. */
async function unheard(env: Record<string, string>): Promise<TestGateway> {
  const servers = { natsUrl: `nats://127.0.0.1:${proxy.port}`, mongodbUrl: inject("mongodbUrl"), s3: inject("s3") };
  const gateway = await startTestGateway({ ...servers, env: { MONGODB_VIEWS_DATABASE: "gateway_unanswered", ...env } });
  proxy.swallowAnswers();
  return gateway;
}

const create = (gateway: TestGateway) =>
  fetch(`${gateway.url}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"fileIds":[70000]}',
  });

test("a create that nobody answers says that its outcome is not known, within the bus time-out", async () => {
  const gateway = await unheard({ BUS_TIMEOUT_MS: "500" });
  const startedMs = performance.now();
  const response = await create(gateway);
  // Far from the default of 5 s, also on a busy machine.
  expect(performance.now() - startedMs).toBeLessThan(4_500);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: "DEPENDENCY_UNAVAILABLE", outcome: "unknown", retryable: true });
  proxy.cut();
  await gateway.close();
});

test("a request that takes too long is answered with 504", async () => {
  const gateway = await unheard({ BUS_TIMEOUT_MS: "1500", REQUEST_TIMEOUT_MS: "200" });
  const response = await create(gateway);
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ code: "REQUEST_TIMEOUT", retryable: true });
  proxy.cut();
  await gateway.close();
});
