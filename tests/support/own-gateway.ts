import { inject } from "vitest";
import {
  startTestGateway,
  type TestGateway,
  type TestServers,
} from "../../services/gateway/src/testing/test-gateway.ts";
import { startOwnServer } from "./own-server.ts";

/** A gateway with a NATS server of its own, which goes with it, and the shared other servers. */
export async function startOwnGateway(
  env: Record<string, string>,
  more: Pick<TestServers, "deniedFiles"> = {},
): Promise<TestGateway> {
  const nats = await startOwnServer("nats");
  const servers = { natsUrl: nats.url, mongodbUrl: inject("mongodbUrl"), s3: inject("s3") };
  const gateway = await startTestGateway({ ...servers, env, ...more });
  return {
    ...gateway,
    async close() {
      await gateway.close();
      await nats.remove();
    },
  };
}
