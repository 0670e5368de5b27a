import type { Prng } from "../kernel/prng.ts";
import type { Scene } from "../scene.ts";
import type { Crew, Mortal } from "./crew.ts";
import type { GatewayActor } from "./gateway-actor.ts";
import type { NotifierActor } from "./notifier-actor.ts";
import type { WorkerActor } from "./worker-actor.ts";

export type Crews = { workers: Crew<WorkerActor>; gateways: Crew<GatewayActor>; notifiers: Crew<NotifierActor> };
type Victim = WorkerActor | GatewayActor | NotifierActor;

/** Draws from the seed what befalls the processes and the bus, and when; all of it is over when the faults end. */
export class Chaos {
  readonly #scene: Scene;
  readonly #workers: Crew<WorkerActor>;
  readonly #gateways: Crew<GatewayActor>;
  readonly #notifiers: Crew<NotifierActor>;
  readonly #prng: Prng;

  constructor(scene: Scene, { workers, gateways, notifiers }: Crews) {
    this.#scene = scene;
    this.#workers = workers;
    this.#gateways = gateways;
    this.#notifiers = notifiers;
    this.#prng = scene.world.prng("chaos");
  }

  plan(): void {
    const { chaos } = this.#scene.world.options;
    const workers = this.#workers;
    this.#times(chaos.kills, () => this.#kill(workers, this.#prng.pick(workers.members)));
    this.#times(chaos.gatewayKills, () => this.#kill(this.#gateways, this.#prng.pick(this.#gateways.members)));
    this.#times(chaos.notifierKills, () => this.#kill(this.#notifiers, this.#prng.pick(this.#notifiers.members)));
    this.#times(chaos.freezes, () => this.#freeze(this.#anyone()));
    this.#times(chaos.terminations, () => this.#terminate(this.#prng.pick(workers.members)));
    this.#times(chaos.outages, () => this.#outage());
    this.#times(chaos.disconnects, () => this.#disconnect(this.#anyone()));
    this.#times(chaos.fullJobs, () => this.#fill());
    this.#planAbsences();
    this.#ambush();
  }

  /** Right after a write is the moment at which a death or a stall, of its writer or of who hears of it, does the most. */
  #ambush(): void {
    const { world, server } = this.#scene;
    const { kill, freeze, gatewayKill } = world.options.ambush;
    server.jobs.onStored(({ by }) => {
      // The record is there, and its work item may never be.
      const gateway = this.#gateways.members.find(({ process }) => process.name === by);
      if (gateway && world.strikes(this.#prng, gatewayKill)) {
        world.scheduler.after(this.#prng.magnitude(0.1, 100), () => this.#kill(this.#gateways, gateway));
      }
      const writer = this.#workers.members.find(({ process }) => process.name === by);
      const victim = writer && this.#prng.chance(0.6) ? writer : this.#prng.pick(this.#workers.members);
      const soonMs = this.#prng.magnitude(0.1, 300);
      if (world.strikes(this.#prng, kill)) world.scheduler.after(soonMs, () => this.#kill(this.#workers, victim));
      else if (world.strikes(this.#prng, freeze)) world.scheduler.after(soonMs, () => this.#freeze(victim));
    });
  }

  /** One of those who decide about a job from outside dies or stalls: the most dangerous when it has read and not written. */
  strikeDecider(): void {
    const [gateways, notifiers] = [this.#gateways, this.#notifiers];
    const ofGateways = this.#prng.chance(0.7);
    if (this.#prng.chance(0.7)) this.#freeze(this.#prng.pick<Victim>((ofGateways ? gateways : notifiers).members));
    else if (ofGateways) this.#kill(gateways, this.#prng.pick(gateways.members));
    else this.#kill(notifiers, this.#prng.pick(notifiers.members));
  }

  #kill<A extends Mortal<A>>(crew: Crew<A>, victim: A): void {
    const { world } = this.#scene;
    if (victim.process.state === "dead") return;
    world.disturb("kills", { process: victim.process.name });
    world.log.add(null, `${victim.process.name}  is KILLED`);
    victim.process.kill();
    world.scheduler.after(this.#prng.magnitude(100, 60_000), () => crew.replace(victim));
  }

  #freeze(victim: Victim): void {
    const { world } = this.#scene;
    if (victim.process.state !== "running") return;
    // Half of them long enough for the item to go to another worker meanwhile.
    const { ackWaitMs } = world.options;
    const forMs = ackWaitMs * (this.#prng.chance(0.5) ? this.#prng.magnitude(0.02, 1) : this.#prng.magnitude(1, 3));
    world.disturb(forMs > ackWaitMs ? "freezes beyond ack_wait" : "freezes", { process: victim.process.name });
    world.log.add(null, `${victim.process.name}  FREEZES for ${Math.round(forMs)} ms`);
    victim.process.freeze();
    world.scheduler.after(forMs, () => {
      if (victim.process.state === "frozen") world.log.add(null, `${victim.process.name}  goes on`);
      victim.process.thaw();
      world.disturb("thaws", { process: victim.process.name });
    });
  }

  #terminate(victim: WorkerActor): void {
    const { world } = this.#scene;
    if (victim.process.state !== "running") return;
    world.disturb("terminations", { process: victim.process.name });
    world.log.add(null, `${victim.process.name}  is told to END`);
    victim.process.atDeath(() => {
      world.scheduler.after(this.#prng.magnitude(100, 20_000), () => this.#workers.replace(victim));
    });
    victim.terminate();
  }

  #outage(): void {
    const { world, server } = this.#scene;
    if (!server.up) return;
    const forMs = this.#prng.magnitude(500, 2 * world.options.ackWaitMs);
    world.disturb("outages", {});
    world.log.add(null, `bus is AWAY for ${Math.round(forMs)} ms`);
    server.up = false;
    for (const { connection } of this.#everyone()) connection.break(this.#prng.magnitude(20, 2_000));
    world.scheduler.after(forMs, () => {
      server.up = true;
      world.disturb("returns of the bus", {});
      world.log.add(null, "bus is back");
    });
  }

  #disconnect(victim: Victim): void {
    const { world } = this.#scene;
    const forMs = this.#prng.magnitude(50, 1.5 * world.options.ackWaitMs);
    world.disturb("disconnects", { process: victim.process.name });
    world.log.add(null, `${victim.process.name}  loses its connection for ${Math.round(forMs)} ms`);
    victim.connection.break(forMs);
  }

  /** From numbers of their own, so that the rest of a history stays as it would be. */
  #planAbsences(): void {
    const { world } = this.#scene;
    const prng = world.prng("absences of the store");
    for (let i = 0; i < world.options.storeAway; i++) {
      const forMs = prng.magnitude(1_000, 600_000);
      world.scheduler.after(prng.unit() * world.options.busyMs, () => {
        world.statistics.count("times the store was away");
        world.log.add(null, `store is AWAY for ${Math.round(forMs)} ms`);
        world.storeAwayUntil = Math.max(world.storeAwayUntil, world.now + forMs);
      });
    }
  }

  #fill(): void {
    const { world, server } = this.#scene;
    const forMs = this.#prng.magnitude(1_000, world.options.ackWaitMs);
    world.disturb("times JOBS was full", {});
    world.log.add(null, `JOBS is FULL for ${Math.round(forMs)} ms`);
    server.jobs.full = true;
    world.scheduler.after(forMs, () => {
      server.jobs.full = false;
      world.log.add(null, "JOBS has room again");
    });
  }

  #times(count: number, strike: () => void): void {
    const { world } = this.#scene;
    for (let i = 0; i < count; i++) {
      world.scheduler.after(this.#prng.unit() * world.options.busyMs, strike);
    }
  }

  #everyone(): Victim[] {
    return [...this.#workers.members, ...this.#gateways.members, ...this.#notifiers.members];
  }

  #anyone(): Victim {
    return this.#prng.pick(this.#everyone());
  }
}
