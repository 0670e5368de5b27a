import type { StoredRecord } from "@longhaul/contracts";
import { isEnded, isUnfinished, leftovers, ownPrefixes } from "@longhaul/job";
import type { Bucket, Items, Jobs, Tally, Upload, Views } from "./ports.ts";
import { remove } from "./remove.ts";
import { standingOf } from "./standing.ts";

export type CleanupDeps = { jobs: Jobs; views: Views; items: Items; bucket: Bucket; tally: Tally };

/**
 * Removes what a job has left behind, when the record that was written is an end or a deletion; any other is none of
 * its business. Rejects when something could not be done; to do it again is harmless.
 */
export async function cleanup(record: StoredRecord, deps: CleanupDeps, signal: AbortSignal): Promise<void> {
  const { status, named } = record;
  if (status !== "erased" && !isEnded(status)) return;
  if (status === "erased") deps.tally.removed("work_item", "cleanup", await deps.items.removeAll(record.id));
  // Such a job has never chosen a key.
  if (!named) return;

  const prefixes = ownPrefixes(record);
  const uploads: Upload[] = [];
  const objects: string[] = [];
  for (const prefix of prefixes) {
    for await (const { key, id } of deps.bucket.uploads(prefix, { signal })) uploads.push({ key, id });
  }
  for (const prefix of prefixes) {
    for await (const { key } of deps.bucket.objects(prefix, { signal })) objects.push(key);
  }
  if (uploads.length + objects.length === 0) return;

  // Only now, so that whatever is listed and not named will never be named.
  const standing = await standingOf(record.id, deps);
  // Known nowhere: whoever makes such a job now may have put its payload first. The sweep is patient enough to tell.
  if (standing === null || isUnfinished(standing.status)) return;
  await remove(leftovers(record.id, standing, { uploads, objects }), "cleanup", deps, signal);
}
