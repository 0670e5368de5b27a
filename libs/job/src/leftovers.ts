import { namedBy, type Standing } from "./named.ts";
import { jobOfKey } from "./own-keys.ts";

/** What lies in the store for one job. It must have been listed, uploads first, *before* the record was read. */
export type Found<U extends { key: string }> = { uploads: readonly U[]; objects: readonly string[] };

/** What is to go: uploads to abort, then keys to delete. */
export type Leftovers<U extends { key: string }> = { uploads: U[]; keys: string[] };

/**
 * What nobody names any more. With an upload its key goes too: whatever the abort answers, a slow Complete may have
 * made the object. A key is deleted only if it is one of this job's own, under `results/` or `payload/`.
 *
 * Safe however old the answer is when it is carried out: a job names a fresh random key before anything lies under it,
 * so what was there before the record was read and is not named in it will never be named.
 *
 * @param standing the newest record; null = the job is known nowhere
 */
export function leftovers<U extends { key: string }>(
  id: string,
  standing: Standing | null,
  found: Found<U>,
): Leftovers<U> {
  const named = standing === null ? null : namedBy(standing);
  const uploads = found.uploads.filter(({ key }) => jobOfKey(key) === id && !named?.uploads.has(key));
  const keys = new Set([...uploads.map(({ key }) => key), ...found.objects]);
  return { uploads, keys: [...keys].filter((key) => jobOfKey(key) === id && !named?.objects.has(key)) };
}
