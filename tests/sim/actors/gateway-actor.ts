import type { CreateDownload, JobRecord, Lane, SourceKind } from "@longhaul/contracts";
import type { ControlCommand } from "@longhaul/job";
import type { View } from "@longhaul/store";
import { type ControlPolicy, controlDownload, eraseDownload } from "../../../services/gateway/src/downloads/control.ts";
import { type CreatePolicy, type CreatePorts, createDownload } from "../../../services/gateway/src/downloads/create.ts";
import { keyedJobId } from "../../../services/gateway/src/downloads/idempotency-key.ts";
import { ProblemError } from "../../../services/gateway/src/problem-error.ts";
import type { Payloads } from "../../../services/processor/src/job/ports.ts";
import { BusClient } from "../bus/bus-client.ts";
import { Connection } from "../bus/connection.ts";
import { Process } from "../kernel/process.ts";
import { createPayloadClient } from "../objects/payload-client.ts";
import { inlineLimits } from "../options.ts";
import type { Scene } from "../scene.ts";
import { createViewClient, type ViewClient } from "../views/view-client.ts";
import type { Promises } from "./promises.ts";

const PUT_DEADLINE_MS = 5_000;
const OWNER = { tenant: "acme", user: "ada", tier: "basic" };
const ID_SECRET = "of all simulated gateways";

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
  readonly #views: ViewClient;
  readonly #policy: Omit<CreatePolicy, "sourceKind"> & ControlPolicy;
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
    this.#views = createViewClient(this.process, scene.views, world);
    const { retention } = world.options;
    this.#policy = {
      ...retention,
      ...inlineLimits(world),
      deadlineSeconds: retention.jobDeadlineSeconds,
      putDeadlineMs: PUT_DEADLINE_MS,
    };
    this.process.atDeath(() => {
      for (const job of this.#unpaid.keys()) promises.excuseMissingItem(job);
    });
  }

  successor(life: number): GatewayActor {
    return new GatewayActor(this.#scene, this.#promises, this.#place, life);
  }

  /** `POST /v1/downloads`, with this idempotency key, if any. @throws ProblemError, BusError */
  async create(body: CreateDownload, key: string | null): Promise<string> {
    const { random } = this.process;
    const keyedId = key === null ? null : keyedJobId(ID_SECRET, OWNER, key);
    const id = keyedId ?? random.id();
    return await this.#owing(id, async () => {
      const traceId = random.hex(16);
      const traceparent = `00-${traceId}-${random.hex(8)}-01`;
      const caller = { owner: OWNER, clientIp: "192.0.2.1", userAgent: null, createdVia: "v1", traceparent, traceId };
      const { witnesses } = this.#scene;
      const policy = { ...this.#policy, sourceKind: this.#sourceKind() };
      const asked = { body, at: this.#scene.world.now };
      try {
        const created = await createDownload(this.#createPorts(id), policy, { body, keyedId, ...caller });
        this.#promises.accepted.add(created.record.id);
        if (keyedId !== null) witnesses.onKeyAnswered(keyedId, asked, created);
        return created.record.id;
      } catch (error) {
        if (keyedId !== null && error instanceof ProblemError) witnesses.onKeyAnswered(keyedId, asked, error.code);
        throw error;
      }
    });
  }

  /** `POST /v1/downloads/{id}/{command}`, or DELETE. @throws ProblemError, BusError */
  async control(id: string, command: UserCommand): Promise<void> {
    await this.#owing(id, async () => {
      const ports = {
        newest: (job: string) => this.#bus.newest(job),
        view: this.#views.get,
        put: this.#bus.put,
        sendWork: (record: JobRecord, seq: number) => this.#send(record, seq),
        nextLane: () => this.#nextLane(),
        now: () => this.process.clock.now(),
        unit: () => this.process.random.unit(),
      };
      const request = { id, actor: OWNER.user, admits: () => true, traceId: "0".repeat(32), traceparent: "" };
      if (command === "erase") await eraseDownload(ports, this.#policy, request);
      else await controlDownload(ports, this.#policy, { ...request, command });
    });
  }

  #createPorts(id: string): CreatePorts {
    return {
      newest: (job) => this.#bus.newest(job),
      viewIfThere: (job) => this.#viewIfThere(job),
      put: this.#bus.put,
      sendWork: (record, seq) => this.#send(record, seq),
      busConnected: () => this.connection.connected,
      nextLane: () => this.#nextLane(),
      assertAllowed: () => Promise.resolve(),
      putPayload: (owner, value) => this.#payloads.put(owner, value, this.#never.signal),
      now: () => this.process.clock.now(),
      randomId: () => id,
    };
  }

  /** As the gateway does it: a create does not wait for views that are away. */
  #viewIfThere(job: string): Promise<View | null> {
    this.#promises.looksAnew(this.process.name, job);
    return this.#views.get(job).catch(() => {
      this.#promises.lookedInVain(this.process.name, job);
      return null;
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
      if (error instanceof ProblemError && error.code === "NOT_FOUND") this.#scene.witnesses.onNotFound(job);
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
