import { type JobRecord, workSubject } from "@longhaul/contracts";
import { backoffMs } from "@longhaul/runtime";
import { BusError, isTransient } from "../../../libs/bus/src/errors.ts";
import { createPutOnce, type JobLog, type PutOnce } from "../../../libs/bus/src/put-once.ts";
import type { Stored } from "../../../libs/bus/src/stored.ts";
import type { Witnesses } from "../checks/witness.ts";
import { itemInHand } from "../kernel/in-hand.ts";
import type { Prng } from "../kernel/prng.ts";
import type { Scene } from "../scene.ts";
import type { World } from "../world.ts";
import type { BusServer } from "./bus-server.ts";
import type { Connection } from "./connection.ts";

/** Of one read. */
const READ_TIMEOUT_MS = 5_000;
const SEND_TRIES = 60;
const SEND_BACKOFF = { baseMs: 250, maxMs: 8_000 };
/** Replicas are this far behind at most, when they are. */
const BEHIND_MS: [number, number] = [10, 120_000];

/** The bus as one process sees it: the simulated counterpart of the drivers in libs/bus. */
export class BusClient {
  readonly connection: Connection;
  readonly jobLog: JobLog;
  /** The real one, over the simulated stream. */
  readonly put: PutOnce;
  readonly #server: BusServer;
  readonly #world: World;
  readonly #prng: Prng;
  readonly #witnesses: Witnesses;

  constructor(connection: Connection, { server, world, witnesses }: Scene) {
    this.connection = connection;
    this.#server = server;
    this.#world = world;
    this.#witnesses = witnesses;
    this.#prng = world.prng(`replicas of ${connection.process.name}`);
    this.jobLog = {
      append: (id, bytes, expectedSeq, { ttlSeconds, timeoutMs }) =>
        this.#append(id, bytes, expectedSeq, ttlSeconds, timeoutMs),
      readNewest: (id, timeoutMs) => this.newest(id, timeoutMs),
    };
    const { clock, random } = connection.process;
    this.put = createPutOnce(this.jobLog, clock, random);
  }

  async newest(id: string, timeoutMs = READ_TIMEOUT_MS): Promise<Stored | null> {
    const read = () => this.#server.jobs.newest(id);
    return this.#learn(await this.connection.request(id, "leader read", timeoutMs, read));
  }

  async direct(id: string): Promise<Stored | null> {
    const stale = this.#world.strikes(this.#prng, this.#world.options.bus.staleRead);
    const behindMs = stale ? this.#prng.magnitude(...BEHIND_MS) : 0;
    const read = () => {
      const stored = this.#server.jobs.asOf(id, behindMs);
      if (stored !== this.#server.jobs.newest(id)) this.#world.statistics.count("stale reads");
      return stored;
    };
    return this.#learn(await this.connection.request(id, "direct read", READ_TIMEOUT_MS, read));
  }

  watch(id: string, onWrite: (stored: Stored) => void): () => void {
    const { connection } = this;
    const item = itemInHand();
    const heard = (stored: Stored) => {
      this.#learn(stored, item);
      onWrite(stored);
    };
    // A subscription lives as long as its connection, and is there again after a reconnect; its notifications are not sure.
    return this.#server.subscribe({ connection, job: id, onWrite: heard });
  }

  /** Puts the work item of the record's generation. @throws BusError */
  async enqueue(record: JobRecord, seq: number | null): Promise<"sent" | "present"> {
    const { id, generation, spec, status } = record;
    const subject = workSubject({ class: spec.class, lane: spec.lane, id, generation });
    const item = { id, generation, known: seq !== null && status === "queued" ? { seq, record } : null };
    try {
      const put = () => this.#server.work.put(subject, item);
      const sequence = await this.connection.request(id, `item of generation ${generation}`, READ_TIMEOUT_MS, put);
      this.#world.log.add(id, `${this.connection.process.name}  put item ${sequence} of generation ${generation}`);
      return "sent";
    } catch (error) {
      if (error instanceof BusError && error.code === "FULL") return "present";
      throw error;
    }
  }

  /** Puts the item again and again until it is there; resolves to false when that was given up. */
  async send(record: JobRecord, seq: number): Promise<boolean> {
    const { clock, random } = this.connection.process;
    for (let failures = 1; failures <= SEND_TRIES; failures++) {
      try {
        await this.enqueue(record, seq);
        return true;
      } catch (error) {
        if (!isTransient(error)) throw error;
      }
      await clock.sleep(backoffMs(failures, SEND_BACKOFF, random.unit()));
    }
    return false;
  }

  itemAlive(sequence: number, id: string): Promise<boolean> {
    const read = () => this.#server.work.subjectOf(sequence)?.includes(`.${id}.`) ?? false;
    return this.connection.request(id, `look for item ${sequence}`, READ_TIMEOUT_MS, read);
  }

  /** Removes every work item of the job; gives their number. @throws BusError */
  async removeItems(id: string): Promise<number> {
    for (let removed = 0; ; removed++) {
      const isThere = await this.connection.request(id, "removal of an item", READ_TIMEOUT_MS, () =>
        this.#server.work.removeOne(id),
      );
      if (!isThere) return removed;
    }
  }

  async #append(
    id: string,
    bytes: Uint8Array,
    expectedSeq: number,
    ttlSeconds: number | undefined,
    timeoutMs: number,
  ): Promise<number> {
    const by = this.connection.process.name;
    this.#witnesses.onAppend(by, id, expectedSeq, itemInHand());
    const append = () => {
      try {
        return this.#server.jobs.append(by, id, bytes, expectedSeq, ttlSeconds);
      } catch (error) {
        const code = error instanceof BusError ? error.code : "error";
        this.#world.statistics.count(`refused writes (${code})`);
        this.#world.log.add(id, `${by}  write on ${expectedSeq}: refused, ${code}`);
        throw error;
      }
    };
    return await this.connection.request(id, `write on ${expectedSeq}`, timeoutMs, append);
  }

  #learn(stored: Stored | null, item = itemInHand()): Stored | null {
    if (stored) this.#witnesses.onLearned(this.connection.process.name, stored, item);
    return stored;
  }
}
