import { METRICS } from "@longhaul/contracts";
import { Gauge, type Registry } from "prom-client";
import { type Clock, sleptThrough, systemClock } from "./clock.ts";
import { withTimeout } from "./deadline.ts";
import type { LoopHealth } from "./supervise.ts";
import { VERSION } from "./version.ts";

export type Phase = "starting" | "ready" | "draining";

/** A server that the service needs. */
export type Dependency = {
  /** Whether the service cannot do its main work without it. */
  critical: boolean;
  /** Resolves when the server answers. */
  ping(signal: AbortSignal): Promise<unknown>;
};

/** What the health routes say about a dependency. */
export type DependencyCheck = {
  status: "up" | "down";
  /** Of the newest answered ping, milliseconds; null = it never answered, or nobody pings it. */
  latencyMs: number | null;
  /** ISO time of the last change of `status`. */
  since: string;
  critical: boolean;
};

export type HealthAnswer = { httpStatus: 200 | 503; body: Record<string, unknown> };

const PING_INTERVAL_MS = 5000;
const PING_TIMEOUT_MS = 3000;

/** What is known about a service's own state: its phase, the servers that it needs, and its loops. */
export class HealthRegistry {
  phase: Phase = "starting";
  readonly #clock: Clock;
  readonly #bornMs: number;
  readonly #up: Gauge;
  readonly #dependencies = new Map<string, { dependency: Dependency | null; check: DependencyCheck }>();
  readonly #loops: (() => LoopHealth[])[] = [];

  constructor(registry: Registry, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#bornMs = clock.monotonic();
    this.#up = new Gauge({
      name: METRICS.dependencyUp,
      help: "1 while the dependency answers, else 0",
      labelNames: ["dependency"],
      registers: [registry],
    });
  }

  /** Adds a dependency (`nats`, `mongodb`, `s3`) and pings it once; resolves, never rejects, when that was answered. */
  async watch(name: string, dependency: Dependency): Promise<void> {
    const check: DependencyCheck = {
      status: "down",
      latencyMs: null,
      since: this.#isoNow(),
      critical: dependency.critical,
    };
    this.#dependencies.set(name, { dependency, check });
    await this.#ping(name);
  }

  /**
   * Adds a dependency that nobody pings: it is up until `report` says otherwise, and never critical. One that is known
   * already stays as it is.
   */
  expectReports(name: string): void {
    if (this.#dependencies.has(name)) return;
    const check: DependencyCheck = { status: "up", latencyMs: null, since: this.#isoNow(), critical: false };
    this.#dependencies.set(name, { dependency: null, check });
    this.report(name, "up");
  }

  /** Adds the loops of a supervision: the service counts as degraded while one of them waits for its restart. */
  watchLoops(health: () => LoopHealth[]): void {
    this.#loops.push(health);
  }

  /** Says at once what was learnt in another way than by a ping, for example that a connection broke. */
  report(name: string, status: DependencyCheck["status"]): void {
    const check = this.#dependencies.get(name)?.check;
    if (!check) return;
    this.#up.set({ dependency: name }, status === "up" ? 1 : 0);
    if (check.status === status) return;
    check.status = status;
    check.since = this.#isoNow();
  }

  /** The loop that pings every dependency, all at a time, every five seconds. */
  async run(signal: AbortSignal): Promise<void> {
    while (await sleptThrough(this.#clock, PING_INTERVAL_MS, signal)) {
      await Promise.all([...this.#dependencies.keys()].map((name) => this.#ping(name)));
    }
  }

  /** What is answered on each path, wherever health is served. */
  routes(): Record<string, () => HealthAnswer> {
    return {
      "/health": () => this.summary(),
      "/health/live": () => this.live(),
      "/health/ready": () => this.ready(),
    };
  }

  /** `/health/live`: the process answers. */
  live(): HealthAnswer {
    return { httpStatus: 200, body: { status: "ok" } };
  }

  /**
   * `/health/ready`: 503 only while starting or draining. A service whose dependency is away is `degraded` and stays
   * in: it answers what it can, and taking all of its kind out at once would leave nobody to answer.
   */
  ready(): HealthAnswer {
    const whole = this.#isWhole();
    const status = this.phase === "ready" && !whole ? "degraded" : this.phase;
    return { httpStatus: this.#httpStatus(), body: { status, checks: this.checks() } };
  }

  /** `/health`: the public summary, with the `checks.storage` that clients of the first version look at. */
  summary(): HealthAnswer {
    const checks = this.checks();
    const broken = this.phase !== "ready" || Object.values(checks).some((c) => c.critical && c.status === "down");
    const status = broken ? "unhealthy" : this.#isWhole() ? "healthy" : "degraded";
    const storage = checks.s3 ? { storage: checks.s3.status === "up" ? "ok" : "error" } : {};
    const uptimeSeconds = Math.floor((this.#clock.monotonic() - this.#bornMs) / 1000);
    return {
      httpStatus: this.#httpStatus(),
      body: { status, checks: { ...checks, ...storage }, version: VERSION, uptimeSeconds },
    };
  }

  /** The state of every dependency. */
  checks(): Record<string, DependencyCheck> {
    return Object.fromEntries([...this.#dependencies].map(([name, { check }]) => [name, { ...check }]));
  }

  #httpStatus(): 200 | 503 {
    return this.phase === "ready" ? 200 : 503;
  }

  #isWhole(): boolean {
    const allUp = [...this.#dependencies.values()].every(({ check }) => check.status === "up");
    return allUp && this.#loops.every((health) => health().every((loop) => loop.status !== "waiting"));
  }

  async #ping(name: string): Promise<void> {
    const { dependency, check } = this.#dependencies.get(name) ?? {};
    if (!dependency || !check) return;
    const startedMs = this.#clock.monotonic();
    try {
      await withTimeout((signal) => dependency.ping(signal), PING_TIMEOUT_MS, `The ping of ${name}`);
      check.latencyMs = Math.round(this.#clock.monotonic() - startedMs);
      this.report(name, "up");
    } catch {
      this.report(name, "down");
    }
  }

  #isoNow(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}
