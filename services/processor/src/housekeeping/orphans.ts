import { LOG_FIELDS } from "@longhaul/contracts";
import { type Found, jobOfKey, leftovers, OWN_FOLDERS } from "@longhaul/job";
import type { Clock, Logger } from "@longhaul/runtime";
import { inParallel } from "./in-parallel.ts";
import type { Bucket, Jobs, Tally, Upload, Views } from "./ports.ts";
import { remove } from "./remove.ts";
import { standingOf } from "./standing.ts";

/** Uploads, and objects, of one folder looked at in a round; with objects the next round goes on from there. */
const ROUND_MAX = 10_000;
const WIDTH = 8;

export type OrphanDeps = {
  jobs: Jobs;
  views: Views;
  bucket: Bucket;
  tally: Tally;
  clock: Clock;
  log: Logger;
  /** What is younger is left alone. */
  ageSeconds: number;
};

type FoundOfJob = { [K in keyof Found<Upload>]: Found<Upload>[K][number][] };

/**
 * Removes what no job names: what a run wrote after cleanup had listed, what cleanup could not reach, and what jobs left
 * of which nothing is known any more. Keys that are not of our form stay.
 */
export class OrphanSweep {
  readonly #deps: OrphanDeps;
  readonly #after = new Map<string, string>();

  constructor(deps: OrphanDeps) {
    this.#deps = deps;
  }

  /** Rejects when the store cannot be listed. What fails for one job only is logged, and tried again by a later round. */
  async round(signal: AbortSignal): Promise<void> {
    const olderThan = this.#deps.clock.now() - this.#deps.ageSeconds * 1000;
    for (const folder of OWN_FOLDERS) {
      const found = await this.#list(folder, olderThan, signal);
      const failed = new Map<string, unknown>();
      await inParallel(found, WIDTH, async ([id, ofJob]) => {
        try {
          const standing = await standingOf(id, this.#deps);
          await remove(leftovers(id, standing, ofJob), "orphans", this.#deps, signal);
        } catch (error) {
          signal.throwIfAborted();
          failed.set(id, error);
        }
      });
      this.#tell(failed);
    }
  }

  /** Uploads first: one that is completed meanwhile is found as an upload, as an object, or as both. */
  async #list(folder: string, olderThan: number, signal: AbortSignal): Promise<Map<string, FoundOfJob>> {
    const { bucket } = this.#deps;
    const found = new Map<string, FoundOfJob>();
    const ofJob = (key: string): FoundOfJob | null => {
      const id = jobOfKey(key);
      if (id === null) return null;
      const known = found.get(id) ?? { uploads: [], objects: [] };
      found.set(id, known);
      return known;
    };
    let looked = 0;
    for await (const { key, id, startedAt } of bucket.uploads(folder, signal)) {
      if (startedAt.getTime() < olderThan) ofJob(key)?.uploads.push({ key, id });
      if (++looked === ROUND_MAX) break;
    }
    looked = 0;
    const after = this.#after.get(folder);
    this.#after.delete(folder);
    for await (const { key, lastModified } of bucket.objects(folder, { after, signal })) {
      if (lastModified.getTime() < olderThan) ofJob(key)?.objects.push(key);
      if (++looked === ROUND_MAX) {
        this.#after.set(folder, key);
        break;
      }
    }
    return found;
  }

  /** One line for all: while the store is away they fail alike. */
  #tell(failed: ReadonlyMap<string, unknown>): void {
    const [first] = failed;
    if (!first) return;
    const [id, err] = first;
    const fields = { [LOG_FIELDS.jobId]: id, failed: failed.size, err };
    this.#deps.log.warn(fields, "what jobs left could not be looked after, this one's among it; a later round will");
  }
}
