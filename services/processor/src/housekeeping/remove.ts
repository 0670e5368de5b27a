import type { Leftovers } from "@longhaul/job";
import type { Bucket, Tally, Upload } from "./ports.ts";

/**
 * Aborts the uploads and deletes the keys, each whatever became of the others: a key is deleted also when the abort of
 * its upload failed. At the end rejects with the first failure, so that all of it is done again.
 */
export async function remove(
  { uploads, keys }: Leftovers<Upload>,
  by: "cleanup" | "orphans",
  { bucket, tally }: { bucket: Bucket; tally: Tally },
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (what: "upload" | "object", step: () => Promise<void>) => {
    signal.throwIfAborted();
    try {
      await step();
      tally.removed(what, by, 1);
    } catch (error) {
      failures.push(error);
    }
  };
  for (const upload of uploads) await attempt("upload", () => bucket.abort(upload, signal));
  for (const key of keys) await attempt("object", () => bucket.delete(key, signal));
  if (failures.length > 0) throw failures[0];
}
