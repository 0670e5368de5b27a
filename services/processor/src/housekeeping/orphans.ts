import { LOG_FIELDS } from "@longhaul/contracts";
import { type Found, jobOfKey, leftovers, OWN_FOLDERS } from "@longhaul/job";
import { type Clock, inParallel, type Logger } from "@longhaul/runtime";
import { FolderListing, type Listed } from "./folder-listing.ts";
import type { Bucket, Jobs, ListedUpload, Tally, Upload, Views } from "./ports.ts";
import { remove } from "./remove.ts";
import { standingOf } from "./standing.ts";

/** A round ends after the batch during which so much time has passed: servers that are away cost a time-out for each job. */
const ROUND_MS = 60_000;
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
  /**
   * In turns, so that the folder's uploads may be looked at before or after its objects. What is completed in between may be
   * seen by neither; it waits for the next turn.
   */
  readonly #listings: { next(signal: AbortSignal): AsyncIterable<Listed[]> }[];

  constructor(deps: OrphanDeps) {
    this.#deps = deps;
    const { bucket } = deps;
    this.#listings = OWN_FOLDERS.flatMap((folder) => [
      new FolderListing(async function* (from: ListedUpload["page"] | undefined, signal) {
        for await (const { key, id, startedAt, page } of bucket.uploads(folder, { from, signal }))
          yield { key, uploadId: id, since: startedAt, place: page };
      }),
      new FolderListing(async function* (after: string | undefined, signal) {
        for await (const { key, lastModified } of bucket.objects(folder, { after, signal }))
          yield { key, uploadId: null, since: lastModified, place: key };
      }),
    ]);
  }

  /**
   * Goes on where the round before has ended. Rejects when the store cannot be listed. What fails for one job only is
   * logged, and tried again when its turn comes anew.
   */
  async round(signal: AbortSignal): Promise<void> {
    const { clock, ageSeconds } = this.#deps;
    const endsAt = clock.monotonic() + ROUND_MS;
    const olderThan = clock.now() - ageSeconds * 1000;
    const failed = new Map<string, unknown>();
    try {
      for (const listing of [...this.#listings]) {
        // Its turn comes again after the others', also when this round ends here.
        this.#listings.push(...this.#listings.splice(this.#listings.indexOf(listing), 1));
        for await (const batch of listing.next(signal)) {
          const old = batch.filter(({ since }) => since.getTime() < olderThan);
          await this.#clear(byJob(old), failed, signal);
          if (clock.monotonic() >= endsAt) return;
        }
      }
    } finally {
      this.#tell(failed);
    }
  }

  async #clear(found: ReadonlyMap<string, FoundOfJob>, failed: Map<string, unknown>, signal: AbortSignal) {
    await inParallel(found, WIDTH, async ([id, ofJob]) => {
      try {
        const standing = await standingOf(id, this.#deps);
        await remove(leftovers(id, standing, ofJob), "orphans", this.#deps, signal);
      } catch (error) {
        signal.throwIfAborted();
        failed.set(id, error);
      }
    });
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

function byJob(listed: readonly Listed[]): Map<string, FoundOfJob> {
  const found = new Map<string, FoundOfJob>();
  for (const { key, uploadId } of listed) {
    const id = jobOfKey(key);
    if (id === null) continue;
    const ofJob = found.get(id) ?? { uploads: [], objects: [] };
    found.set(id, ofJob);
    if (uploadId === null) ofJob.objects.push(key);
    else ofJob.uploads.push({ key, id: uploadId });
  }
  return found;
}
