import { setTimeout as delay } from "node:timers/promises";
import { ACK_WAIT_MS } from "../chaos-stack.ts";
import { STORE_BACK_MS } from "../ledger.ts";
import { type Fault, signal, type Town } from "./fault.ts";

/** The longest wait of the supervisor, and the client's between two tries to connect. */
const NATS_BACK_MS = 15_000;

/** NATS dies and comes back with what it has on its disk. */
export const NATS_KILL: Fault = {
  name: "SIGKILL of NATS, and its restart",
  async strike({ chaos, observer, ledger }) {
    for (const { id } of observer.running()) ledger.note(id, "fault  SIGKILL of NATS");
    // Until it is up again and connected to, and from then on the deliveries' times begin anew.
    ledger.trouble("NATS", NATS_BACK_MS + ACK_WAIT_MS);
    return chaos.pids("nats").every((pid) => signal(pid, "SIGKILL"));
  },
};

export const MONGODB_AWAY: Fault = {
  name: "MongoDB silent for seconds",
  strike: (town) => standStill(town.chaos.pids("mongodb"), town.prng.int(2_000, 5_000)),
};

export const NATS_SILENT: Fault = {
  name: "NATS silent for seconds",
  strike(town) {
    const ms = town.prng.int(1_000, 3_000);
    town.ledger.trouble("NATS", ms + ACK_WAIT_MS);
    return standStill(town.chaos.pids("nats"), ms);
  },
};

async function standStill(pids: number[], ms: number): Promise<boolean> {
  const stopped = pids.filter((pid) => signal(pid, "SIGSTOP"));
  await delay(ms);
  return stopped.filter((pid) => signal(pid, "SIGCONT")).length > 0;
}

/** Calls of every kind hang, and run into their time-outs or go on. */
export const STORE_SILENT: Fault = {
  name: "S3 silent for seconds",
  strike(town) {
    const ms = town.prng.int(1_000, 5_000);
    town.ledger.trouble("S3", ms + STORE_BACK_MS);
    return standStill(town.chaos.pids("s3"), ms);
  },
};

/** Calls are torn off in the middle, and for a moment refused. */
export const STORE_KILL: Fault = {
  name: "SIGKILL of S3, and its restart",
  async strike({ chaos, ledger }) {
    ledger.trouble("S3", STORE_BACK_MS);
    return chaos.pids("s3").every((pid) => signal(pid, "SIGKILL"));
  },
};

/** A notifier dies: nobody else may notice. */
export const NOTIFIER_KILL: Fault = { name: "SIGKILL of a notifier", strike: (town) => killOne("notifier", town) };

/** A gateway dies: items that it has not sent yet are made by the sweep, minutes later. */
export const GATEWAY_KILL: Fault = { name: "SIGKILL of a gateway", strike: (town) => killOne("gateway", town) };

async function killOne(name: "notifier" | "gateway", { chaos, prng }: Town): Promise<boolean> {
  const pids = chaos.pids(name);
  return pids.length > 0 && signal(prng.pick(pids), "SIGKILL");
}
