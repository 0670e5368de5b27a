import type { CreateDownload } from "@longhaul/contracts";
import type { Prng } from "../kernel/prng.ts";
import { jobOf } from "../objects/object-client.ts";
import type { Scene } from "../scene.ts";
import type { World } from "../world.ts";
import type { Crew } from "./crew.ts";
import type { GatewayActor, UserCommand } from "./gateway-actor.ts";

const COMMANDS: readonly UserCommand[] = [
  "cancel",
  "pause",
  "pause",
  "resume",
  "resume",
  "resume",
  "retry",
  "retry",
  "erase",
];
/** Files are few, so that jobs share some. */
const FILE_IDS: [number, number] = [10_000, 10_040];

/** Chance that a request to the store that waits to meet another is helped to it. */
const MEETING = 0.8;
/** Chance that somebody repeats the create of what was deleted. */
const REPEAT = 0.5;
const KEYS = ["one", "two", "three"] as const;

type Request = { key: string | null; body: CreateDownload };

/** People who create jobs and command them, through whichever gateway is there. */
export class Users {
  readonly #world: World;
  readonly #gateways: Crew<GatewayActor>;
  readonly #prng: Prng;
  readonly #known: string[] = [];
  /** What is asked for with each key, and the create that each job of a key comes from. */
  readonly #bodies = new Map<string, CreateDownload>();
  readonly #requests = new Map<string, Request>();
  #busy = 0;

  readonly #server: Scene["server"];
  readonly #store: Scene["store"];

  constructor({ world, server, store }: Pick<Scene, "world" | "server" | "store">, gateways: Crew<GatewayActor>) {
    this.#world = world;
    this.#store = store;
    this.#server = server;
    this.#gateways = gateways;
    this.#prng = world.prng("users");
  }

  /** Whether a request is still without an answer. */
  get busy(): boolean {
    return this.#busy > 0;
  }

  plan(): void {
    this.#ambush();
    const { jobs, commands, busyMs } = this.#world.options;
    for (let i = 0; i < jobs; i++) this.#world.scheduler.after(this.#prng.unit() * busyMs * 0.5, () => this.#create());
    for (let i = 0; i < commands; i++) {
      this.#world.scheduler.after(
        this.#prng.unit() * busyMs,
        () => this.#known.length > 0 && this.command(this.#prng.pick(this.#known)),
      );
    }
  }

  /**
   * A command that comes just when a worker writes, or reads, or does not know whether its write was stored; a cancel
   * that meets a Complete; a retry that meets the cleanup of what it retries.
   */
  #ambush(): void {
    const { ambush } = this.#world.options;
    const soon = (chance: number, id: string, command?: UserCommand) => {
      if (!this.#world.strikes(this.#prng, chance)) return;
      this.#world.scheduler.after(
        this.#prng.magnitude(1, 20_000),
        () => this.#world.faulty && this.command(id, command),
      );
    };
    this.#server.jobs.onStored(({ after: { record } }) => {
      if (record.status === "running") soon(ambush.command, record.id);
      if (record.status === "running" && record.checkpoint?.sealed) soon(ambush.cancel, record.id, "cancel");
      if (record.status === "cancelled" || record.status === "failed") soon(ambush.retry, record.id, "retry");
      if (record.status === "erased" && this.#world.strikes(this.#prng, REPEAT))
        this.#later(() => this.repeat(record.id));
    });
    // A Complete is on its way that is to meet cleanup; or cleanup's listing, and whatever the job makes now is in it.
    this.#store.onWaiting((what, key) => soon(MEETING, jobOf(key) ?? "", what === "listed" ? "cancel" : "retry"));
  }

  #create(): void {
    const { keyed } = this.#world.options;
    const key = this.#prng.chance(keyed) ? this.#prng.pick(KEYS) : null;
    const request = { key, body: (key === null ? undefined : this.#bodies.get(key)) ?? this.#body() };
    // Now and then somebody takes a key again for something else.
    if (key !== null && this.#prng.chance(0.85)) this.#bodies.set(key, request.body);
    this.#send(request);
    if (key === null) return;
    // The same at once through another gateway, and again later.
    if (this.#prng.chance(0.5)) this.#world.scheduler.after(this.#prng.magnitude(0.1, 50), () => this.#send(request));
    if (this.#prng.chance(0.7)) this.#later(() => this.#send(request));
  }

  #body(): CreateDownload {
    const fileIds = Array.from({ length: this.#prng.pick([1, 1, 2, 3, 5]) }, () => this.#prng.int(...FILE_IDS));
    const archive = this.#prng.pick(["auto", "zip"] as const);
    const expiresIn = this.#prng.int(...this.#world.options.retention.resultSeconds);
    return { fileIds: [...new Set(fileIds)], archive, expiresIn, priority: "normal", name: null, metadata: {} };
  }

  #send(request: Request): void {
    this.#ask(request.key === null ? "creates" : "creates with a key", (gateway) =>
      gateway.create(request.body, request.key).then((id) => {
        this.#known.push(id);
        if (request.key !== null) this.#requests.set(id, request);
        // A command that comes soon meets the job at work.
        if (this.#prng.chance(0.5)) this.#later(() => this.command(id));
      }),
    );
  }

  /** Repeats the create that the job comes from; without a key it cannot be repeated, and a command is given. */
  repeat(id: string): void {
    const request = this.#requests.get(id);
    if (request) this.#send(request);
    else this.command(id);
  }

  #later(task: () => void): void {
    this.#world.scheduler.after(this.#prng.magnitude(20, 120_000), () => this.#world.faulty && task());
  }

  command(id: string, command = this.#prng.pick(COMMANDS)): void {
    this.#world.log.add(id, `user     asks to ${command}`);
    this.#ask(`commands (${command})`, (gateway) => gateway.control(id, command));
  }

  /** The answer of a gateway that dies never comes. */
  #ask(what: string, request: (gateway: GatewayActor) => Promise<void>): void {
    const gateway = this.#prng.pick(this.#gateways.members);
    gateway.process.run(() => {
      this.#busy++;
      let open = true;
      const over = (outcome: string) => {
        if (!open) return;
        open = false;
        this.#busy--;
        this.#world.statistics.count(`${what}: ${outcome}`);
      };
      gateway.process.atDeath(() => over("no answer"));
      request(gateway).then(
        () => over("done"),
        (error: Error & { code?: string }) => {
          over(error.code ?? error.name);
          if (error.code === undefined)
            this.#world.violate(`a request met an error that nobody foresaw: ${error.stack}`, null);
        },
      );
    });
  }
}
