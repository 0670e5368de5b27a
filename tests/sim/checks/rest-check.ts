import type { Standing } from "@longhaul/job";
import type { Promises } from "../actors/promises.ts";
import { EPOCH } from "../kernel/process.ts";
import { jobOf } from "../objects/object-client.ts";
import type { Scene } from "../scene.ts";
import { namesObject, namesUpload, standingOf } from "./named.ts";
import type { Witness } from "./witness.ts";

const UNFINISHED = ["queued", "running"];

/** What is still to be done before the world is at rest; empty = nothing. */
export function restless(scene: Pick<Scene, "world" | "server" | "views" | "store">): { job: string; text: string }[] {
  const { server, views, store } = scene;
  const now = new Date(EPOCH + scene.world.now).toISOString();
  const left: { job: string; text: string }[] = [];
  const report = (job: string | null, text: string) => left.push({ job: job ?? "", text });
  for (const [id, { key }] of store.uploads) {
    if (!namesUpload(standingOf(scene, jobOf(key) ?? ""), key))
      report(jobOf(key), `no record names the upload ${id}, and it is still there`);
  }
  for (const key of store.objects.keys()) {
    if (!namesObject(standingOf(scene, jobOf(key) ?? ""), key))
      report(jobOf(key), `no record names the object ${key}, and it is still there`);
  }
  for (const { record, seq } of server.jobs.lastOfAll()) {
    const { id } = record;
    const standing = standingOf(scene, id);
    if (standing && UNFINISHED.includes(standing.status)) report(id, `the job is still ${standing.status}`);
    if (standing && isOverdue(standing, now)) report(id, `the job is ${standing.status}, and its time is over`);
    if ((views.get(id)?.seq ?? seq) !== seq) report(id, `the view does not show the last write, ${seq}`);
  }
  for (const { sequence, item } of server.work.all()) report(item.id, `item ${sequence} is still there`);
  return left;
}

function isOverdue(job: Standing, now: string): boolean {
  if (job.status === "completed") return (job.result?.expiresAt ?? job.updatedAt) < now;
  return job.status === "paused" && job.deadlineAt < now;
}

/** Nothing that was answered with 202 is lost; only what came to its end is forgotten in time. */
export class AcceptedCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "server" | "views">;
  readonly #promises: Promises;
  readonly #forgotten = new Set<string>();

  constructor(scene: Pick<Scene, "world" | "server" | "views">, promises: Promises) {
    this.#scene = scene;
    this.#promises = promises;
    scene.views.onChange(({ before, after }) => before && after === null && this.#forgotten.add(before._id));
  }

  /** Nobody is told that a job is not there which is neither deleted nor forgotten. */
  onNotFound(id: string): void {
    const { world, server, views } = this.#scene;
    const view = views.get(id);
    const isForgotten = this.#forgotten.has(id) || (view !== null && "erased" in view);
    const last = server.jobs.last(id);
    if (last && last.record.status !== "erased" && !isForgotten) world.violate("a job that is there is not found", id);
  }

  atRest(): void {
    for (const job of this.#promises.accepted) {
      if (standingOf(this.#scene, job) === null && !this.#forgotten.has(job))
        this.#scene.world.violate("the job was accepted, and is gone", job);
    }
  }
}
