import type { CreateDownload, JobRecord, Lane, SourceKind } from "@longhaul/contracts";
import type { ControlCommand } from "@longhaul/job";
import { controlDownload, eraseDownload } from "../../../services/gateway/src/downloads/control.ts";
import { createDownload } from "../../../services/gateway/src/downloads/create.ts";
import { ProblemError } from "../../../services/gateway/src/problem-error.ts";
import type { Payloads } from "../../../services/processor/src/job/ports.ts";
import { BusClient } from "../bus/bus-client.ts";
import { Connection } from "../bus/connection.ts";
import { Process } from "../kernel/process.ts";
import { createPayloadClient } from "../objects/payload-client.ts";
import { inlineLimits } from "../options.ts";
import type { Scene } from "../scene.ts";
import type { Promises } from "./promises.ts";

const DAY_SECONDS = 86_400;
const POLICY = {
  deadlineSeconds: 7 * DAY_SECONDS,
  putDeadlineMs: 5_000,
  retryWindowFailedSeconds: 30 * DAY_SECONDS,
  retryWindowCancelledSeconds: 7 * DAY_SECONDS,
} as const;
const OWNER = { tenant: "acme", user: "ada", tier: "basic" };

export type UserCommand = ControlCommand | "erase";

/** A gateway: the real create and control on a simulated machine, behind no HTTP. */
export class GatewayActor {
  readonly process: Process;
  readonly connection: Connection;
  readonly #scene: Scene;
  readonly #place: string;
  readonly #bus: BusClient;
  readonly #promises: Promises;
  readonly #payloads: Payloads;
  readonly #never = new AbortController();
  /** Jobs whose record was or may be written by a request that has not put its work item yet. */
  readonly #unpaid = new Map<string, number>();

  constructor(scene: Scene, promises: Promises, place: string, life: number) {
    const { world, server } = scene;
    this.#scene = scene;
    this.#promises = promises;
    this.#place = place;
    const name = `${place}.${life}`;
    this.process = new Process(name, world.scheduler, world.prng(name));
    this.connection = new Connection(this.process, server, world);
    this.#bus = new BusClient(this.connection, scene);
    this.#payloads = createPayloadClient(this.process, scene.store, world);
    this.process.atDeath(() => {
      for (const job of this.#unpaid.keys()) promises.excuseMissingItem(job);
    });
  }

  successor(life: number): GatewayActor {
    return new GatewayActor(this.#scene, this.#promises, this.#place, life);
  }

  /** `POST /v1/downloads`. @throws ProblemError */
  async create(body: CreateDownload): Promise<string> {
    const id = this.process.random.id();
    return await this.#owing(id, async () => {
      const traceId = this.process.random.hex(16);
      const traceparent = `00-${traceId}-${this.process.random.hex(8)}-01`;
      const ports = {
        newest: (job: string) => this.#bus.newest(job),
        viewIfThere: () => Promise.resolve(null),
        put: this.#bus.put,
        sendWork: (record: JobRecord, seq: number) => this.#send(record, seq),
        busConnected: () => this.connection.connected,
        nextLane: () => this.#nextLane(),
        now: () => this.process.clock.now(),
        randomId: () => id,
        assertAllowed: () => Promise.resolve(),
        putPayload: (owner: { tenant: string; id: string }, value: unknown) =>
          this.#payloads.put(owner, value, this.#never.signal),
      };
      const policy = { ...POLICY, ...inlineLimits(this.#scene.world), sourceKind: this.#sourceKind() };
      const caller = { owner: OWNER, clientIp: "192.0.2.1", userAgent: null, createdVia: "v1", traceparent, traceId };
      const { record } = await createDownload(ports, policy, { body, keyedId: null, ...caller });
      this.#promises.accepted.add(record.id);
      return record.id;
    });
  }

  /** `POST /v1/downloads/{id}/{command}`, or DELETE. @throws ProblemError, BusError */
  async control(id: string, command: UserCommand): Promise<void> {
    await this.#owing(id, async () => {
      const ports = {
        newest: (job: string) => this.#bus.newest(job),
        view: () => Promise.resolve(null),
        put: this.#bus.put,
        sendWork: (record: JobRecord, seq: number) => this.#send(record, seq),
        nextLane: () => this.#nextLane(),
        now: () => this.process.clock.now(),
        unit: () => this.process.random.unit(),
      };
      const request = { id, actor: OWNER.user, admits: () => true, traceId: "0".repeat(32), traceparent: "" };
      if (command === "erase") await eraseDownload(ports, POLICY, request);
      else await controlDownload(ports, POLICY, { ...request, command });
    });
  }

  /** Every third job has files that are no objects: it owns its result, also when that is one file. */
  #sourceKind(): SourceKind {
    return this.process.random.unit() < 1 / 3 ? "http" : "s3";
  }

  #nextLane(): Lane {
    return this.process.random.unit() < 0.5 ? "fast" : "bulk";
  }

  #send(record: JobRecord, seq: number): void {
    const over = this.#owe(record.id);
    const giveUp = () => this.#promises.excuseMissingItem(record.id);
    void this.#bus
      .send(record, seq)
      .then((sent) => sent || giveUp(), giveUp)
      .finally(over);
  }

  async #owing<T>(job: string, request: () => Promise<T>): Promise<T> {
    const over = this.#owe(job);
    try {
      return await request();
    } catch (error) {
      const certain = error instanceof ProblemError && error.extra.outcome !== "unknown";
      if (!certain) this.#promises.excuseMissingItem(job);
      throw error;
    } finally {
      over();
    }
  }

  #owe(job: string): () => void {
    const owed = (more: number) => {
      const count = (this.#unpaid.get(job) ?? 0) + more;
      if (count > 0) this.#unpaid.set(job, count);
      else this.#unpaid.delete(job);
    };
    owed(1);
    return () => owed(-1);
  }
}
