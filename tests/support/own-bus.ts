import type { Bus } from "@longhaul/bus";
import { connectTo, migrate, SETTINGS } from "../../libs/bus/src/testing/fixtures.ts";
import { type OwnServer, startOwnServer } from "./own-server.ts";

/** A NATS server of one test file, with all streams, and a connection to it. */
export type OwnBus = OwnServer & { bus: Bus };

export async function startOwnBus(settings = SETTINGS): Promise<OwnBus> {
  const server = await startOwnServer("nats");
  const bus = await connectTo(server.url);
  await migrate(bus, settings);
  return {
    ...server,
    bus,
    async remove() {
      await bus.close();
      await server.remove();
    },
  };
}
