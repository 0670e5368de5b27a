import type { Promises } from "../actors/promises.ts";
import { jobOf } from "../objects/object-client.ts";
import type { Scene } from "../scene.ts";
import { namesObject, namesUpload } from "./names-check.ts";
import type { Witness } from "./witness.ts";

const UNFINISHED = ["queued", "running"];

/** What is still to be done before the world is at rest; empty = nothing. */
export function restless({ server, store }: Pick<Scene, "server" | "store">): { job: string; text: string }[] {
  const jobs = server.jobs.all().filter(({ record }) => UNFINISHED.includes(record.status));
  const named = (key: string) => server.jobs.newest(jobOf(key) ?? "")?.record ?? null;
  const uploads = [...store.uploads].filter(([, { key }]) => !namesUpload(named(key), key));
  const objects = [...store.objects.keys()].filter((key) => !namesObject(named(key), key));
  return [
    ...uploads.map(([id, { key }]) => ({
      job: jobOf(key) ?? "",
      text: `no record names the upload ${id}, and it is still there`,
    })),
    ...objects.map((key) => ({
      job: jobOf(key) ?? "",
      text: `no record names the object ${key}, and it is still there`,
    })),
    ...jobs.map(({ record }) => ({ job: record.id, text: `the job is still ${record.status}` })),
    ...server.work.all().map(({ sequence, item }) => ({ job: item.id, text: `item ${sequence} is still there` })),
  ];
}

/** Nothing that was answered with 202 is lost. */
export class AcceptedCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "server">;
  readonly #promises: Promises;

  constructor(scene: Pick<Scene, "world" | "server">, promises: Promises) {
    this.#scene = scene;
    this.#promises = promises;
  }

  atRest(): void {
    for (const job of this.#promises.accepted) {
      if (!this.#scene.server.jobs.newest(job)) this.#scene.world.violate("the job was accepted, and is gone", job);
    }
  }
}
