import { isDeepStrictEqual } from "node:util";
import { BootError } from "@longhaul/runtime";
import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { Bus } from "./connect.ts";
import {
  type ConsumerDeclaration,
  cleanupConsumer,
  deadLettersStream,
  jobsStream,
  laneConsumers,
  projectorConsumer,
  type StreamDeclaration,
  type TopologySettings,
  workStream,
} from "./topology.ts";

export type BusMigration = {
  id: number;
  name: string;
  /**
   * Brings the server to what the settings say; safe to repeat. Tells in words what it changed; nothing = an empty list.
   * @throws BootError `TOPOLOGY_REFUSED` when the server cannot do it
   */
  up(bus: Bus, settings: TopologySettings): Promise<string[]>;
};

/** In this order. Each is a declaration, so a changed setting is brought in by running them again. */
export const busMigrations: readonly BusMigration[] = [
  { id: 1, name: "stream JOBS", up: (bus, settings) => declareStream(bus, jobsStream(settings)) },
  { id: 2, name: "stream WORK", up: (bus, settings) => declareStream(bus, workStream(settings)) },
  { id: 3, name: "stream DEADLETTERS", up: (bus, settings) => declareStream(bus, deadLettersStream(settings)) },
  { id: 4, name: "consumers of WORK", up: (bus, settings) => declareConsumers(bus, laneConsumers(settings)) },
  { id: 5, name: "consumer of JOBS", up: (bus, settings) => declareConsumers(bus, [projectorConsumer(settings)]) },
  { id: 6, name: "consumer for cleanup", up: (bus, settings) => declareConsumers(bus, [cleanupConsumer(settings)]) },
];

/** Streams or consumers are not what this version of the services needs. The message says what to run. */
export class TopologyMissing extends BootError {
  override readonly name = "TopologyMissing";

  constructor(faults: readonly string[]) {
    super(`NATS is not prepared for this version: ${faults.join("; ")}. Run: npm run migrate`, {
      code: "TOPOLOGY_MISSING",
    });
  }
}

/**
 * Looks without changing anything; a service that finds a fault must not start.
 * @param expected what the service itself is configured with: it has to answer deliveries within the consumers' ack_wait
 * @throws TopologyMissing
 */
export async function assertTopology(bus: Bus, expected: { ackWaitMs: number }): Promise<void> {
  assertServerVersion(bus);
  const manager = await openManager(bus);
  const settings = { replicas: 1, jobsMaxBytes: 0, ...expected };
  const faults: string[] = [];
  for (const declare of [jobsStream, workStream, deadLettersStream]) {
    // Size and copies are the operator's; services do not depend on them.
    const { num_replicas, max_bytes, ...needed } = declare(settings);
    const found = await orNull(manager.streams.info(needed.name));
    faults.push(...faultsOf(`stream ${needed.name}`, needed, found?.config));
  }
  const consumers = [...laneConsumers(settings), projectorConsumer(settings), cleanupConsumer(settings)];
  for (const { stream, config } of consumers) {
    const found = await orNull(manager.consumers.info(stream, config.durable_name));
    faults.push(...faultsOf(`consumer ${config.durable_name} of ${stream}`, config, found?.config));
  }
  if (faults.length > 0) throw new TopologyMissing(faults);
}

async function declareStream(bus: Bus, declared: StreamDeclaration): Promise<string[]> {
  assertServerVersion(bus);
  const what = `stream ${declared.name}`;
  const { streams } = await openManager(bus);
  const found = await orNull(streams.info(declared.name));
  if (!found) {
    await streams.add(declared).catch(refused(what));
    return [`made ${what}`];
  }
  const changed = differing(declared, found.config);
  if (changed.length === 0) return [];
  await streams.update(declared.name, declared).catch(refused(what));
  return [`changed ${what}: ${changed.join(", ")}`];
}

async function declareConsumers(bus: Bus, declarations: readonly ConsumerDeclaration[]): Promise<string[]> {
  const { consumers } = await openManager(bus);
  const done: string[] = [];
  for (const { stream, config } of declarations) {
    const what = `consumer ${config.durable_name} of ${stream}`;
    const found = await orNull(consumers.info(stream, config.durable_name));
    if (!found) {
      await consumers.add(stream, config).catch(refused(what));
      done.push(`made ${what}`);
      continue;
    }
    const changed = differing(config, found.config);
    if (changed.length === 0) continue;
    await consumers.update(stream, config.durable_name, config).catch(refused(what));
    done.push(`changed ${what}: ${changed.join(", ")}`);
  }
  return done;
}

const MIN_SERVER = [2, 15] as const;

function assertServerVersion(bus: Bus): void {
  const version = bus.nc.info?.version ?? "0.0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > MIN_SERVER[0] || (major === MIN_SERVER[0] && minor >= MIN_SERVER[1])) return;
  throw new BootError(
    `The NATS server is version ${version}; ${MIN_SERVER.join(".")} or newer is needed. Update it, or set NATS_URL to a newer one.`,
    { code: "BUS_TOO_OLD" },
  );
}

const openManager = (bus: Bus): Promise<JetStreamManager> => jetstreamManager(bus.nc, { checkAPI: false });

/** Settings of a declaration that the server has otherwise. */
function differing(declared: object, actual: object): string[] {
  const found = new Map(Object.entries(actual));
  return Object.entries(declared).flatMap(([key, value]) => (isDeepStrictEqual(found.get(key), value) ? [] : key));
}

function faultsOf(what: string, needed: object, found: object | undefined): string[] {
  if (!found) return [`${what} is missing`];
  const wrong = differing(needed, found);
  return wrong.length > 0 ? [`${what} has other settings (${wrong.join(", ")})`] : [];
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    const code = error instanceof JetStreamApiError ? error.code : 0;
    if (code === JetStreamApiCodes.StreamNotFound || code === JetStreamApiCodes.ConsumerNotFound) return null;
    throw error;
  }
}

/** Error codes of nats-server whose cause is a setting of ours. */
const ADVICE: Readonly<Record<number, string>> = {
  10023: "Set JOBS_MAX_BYTES below what the server has left, or raise its limits.",
  10047: "Set JOBS_MAX_BYTES below the server's jetstream max_file_store (it reserves the bytes), or raise that.",
  10005: "Set NATS_STREAM_REPLICAS to at most the number of JetStream servers.",
  10074: "Set NATS_STREAM_REPLICAS=1 on a single server.",
};

function refused(what: string): (error: unknown) => never {
  return (cause) => {
    if (!(cause instanceof JetStreamApiError)) throw cause;
    const advice = ADVICE[cause.code] ?? `Look up error ${cause.code} of NATS, or ask whoever runs the server.`;
    throw new BootError(`NATS refused ${what}: ${cause.message}. ${advice}`, { code: "TOPOLOGY_REFUSED", cause });
  };
}
