import type { BusServer } from "./bus/bus-server.ts";
import type { CleanupConsumer } from "./bus/cleanup-consumer.ts";
import type { Witnesses } from "./checks/witness.ts";
import type { ObjectServer } from "./objects/object-server.ts";
import type { ViewServer } from "./views/view-server.ts";
import type { World } from "./world.ts";

/** The servers of one history, and who watches it. */
export type Scene = {
  world: World;
  server: BusServer;
  cleanup: CleanupConsumer;
  views: ViewServer;
  store: ObjectServer;
  witnesses: Witnesses;
};
