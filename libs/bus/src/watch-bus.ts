import type { HealthRegistry } from "@longhaul/runtime";
import type { Bus } from "./connect.ts";

/** A server that is there answers far sooner, over whatever distance. */
const PING_TIMEOUT_MS = 2_000;

/**
 * Makes the bus, without which no service can do its main work, a dependency `nats` of the service's health. It is down
 * and up at the moment when the connection breaks and stands again, not at the next ping.
 */
export async function watchBus(bus: Bus, health: Pick<HealthRegistry, "watch" | "report">): Promise<void> {
  bus.onStatus((status) => health.report("nats", status === "connected" ? "up" : "down"));
  await health.watch("nats", { critical: true, ping: () => bus.ping(PING_TIMEOUT_MS) });
}
