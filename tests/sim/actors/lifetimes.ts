import type { Prng } from "../kernel/prng.ts";
import type { Scene } from "../scene.ts";
import type { Chaos } from "./chaos.ts";
import type { Crew } from "./crew.ts";
import type { NotifierActor } from "./notifier-actor.ts";
import type { Users } from "./users.ts";

/** About the moment: before it, or after it. */
const ABOUT_MS: [number, number] = [1, 20_000];
const LATER_MS: [number, number] = [60_000, 12 * 3_600_000];

type Cast = { users: Users; notifiers: Crew<NotifierActor>; chaos: Chaos };

/**
 * When `JOBS` lets a job go, whoever has just read it there decides about something that is not there any more, and
 * whoever reads it now decides about the view's copy: so just then, and again when the job has been away for a while,
 * something is asked for, and who is asked dies or stalls.
 */
export class Lifetimes {
  readonly #scene: Pick<Scene, "world" | "server">;
  readonly #cast: Cast;
  readonly #prng: Prng;

  constructor(scene: Pick<Scene, "world" | "server">, cast: Cast) {
    this.#scene = scene;
    this.#cast = cast;
    this.#prng = scene.world.prng("lifetimes");
  }

  plan(): void {
    const { world, server } = this.#scene;
    server.jobs.onStored(({ after: { record }, ttlSeconds }) => {
      const endMs = (ttlSeconds ?? 0) * 1000;
      if (endMs === 0 || world.now + endMs > world.options.faultsEndMs) return;
      for (let i = 0; i < 3; i++) {
        const aboutMs = this.#prng.magnitude(...ABOUT_MS) * (this.#prng.chance(0.5) ? 1 : -1);
        if (this.#prng.chance(world.options.ambush.lifetime)) this.#at(endMs + aboutMs, record.id);
      }
      if (this.#prng.chance(world.options.ambush.lifetime))
        this.#at(endMs + this.#prng.magnitude(...LATER_MS), record.id);
    });
  }

  #at(afterMs: number, id: string): void {
    const { scheduler } = this.#scene.world;
    scheduler.after(afterMs, () => this.#ask(id));
    if (this.#scene.world.options.mood !== "quiet" && this.#prng.chance(0.3)) {
      scheduler.after(
        afterMs + this.#prng.magnitude(0.1, 1_000),
        () => this.#scene.world.faulty && this.#cast.chaos.strikeDecider(),
      );
    }
  }

  #ask(id: string): void {
    const { world } = this.#scene;
    if (!world.faulty) return;
    const { users, notifiers } = this.#cast;
    const kind = this.#prng.pick(["command", "erase", "retry", "repeat", "expire", "expire"] as const);
    if (kind === "command") users.command(id);
    else if (kind === "erase" || kind === "retry") users.command(id, kind);
    else if (kind === "repeat") users.repeat(id);
    else this.#expire(this.#prng.pick(notifiers.members), id);
  }

  #expire({ process, expire }: NotifierActor, id: string): void {
    const { world } = this.#scene;
    world.log.add(id, `${process.name}  looks whether its time is over`);
    process.run(() => {
      expire(id).then(
        (outcome) => world.statistics.count(`expiries out of turn: ${outcome}`),
        (error: Error & { code?: string }) => {
          if (error.code === undefined)
            world.violate(`a notifier met an error that nobody foresaw: ${error.stack}`, id);
        },
      );
    });
  }
}
