import type { Bucket } from "../../../services/processor/src/housekeeping/ports.ts";
import type { Process } from "../kernel/process.ts";
import type { Scene } from "../scene.ts";
import { exchange, jobOf, meeting } from "./object-client.ts";

/** Few enough are there at a time. */
const ONLY_PAGE = {};

/** The object store as the housekeeping of one process sees it, with the same faults. */
export function createHousekeepingBucket(process: Process, { world, store }: Pick<Scene, "world" | "store">): Bucket {
  const prng = world.prng(`housekeeping of ${process.name}`);
  const call = <T>(what: string, key: string, signal: AbortSignal, handle: () => T) =>
    exchange(world, process, prng, { what, key, signal, handle });
  const list = <T>(what: string, prefix: string, signal: AbortSignal, handle: () => T) => {
    const slow = jobOf(prefix) && world.strikes(prng, world.options.ambush.listing);
    const travel = slow ? meeting(world, store, prng, "made", prefix) : undefined;
    return exchange(world, process, prng, { what, key: prefix, signal, handle, travel });
  };
  return {
    async *uploads(prefix, { signal }) {
      const all = await list("list uploads", prefix, signal, () => store.listUploads(prefix));
      for (const upload of all) yield { ...upload, page: ONLY_PAGE };
    },
    async *objects(prefix, { after, signal }) {
      yield* await list("list objects", prefix, signal, () => store.listObjects(prefix, after ?? ""));
    },
    abort: (upload, signal) => call(`abort ${upload.id}`, upload.key, signal, () => store.abortUpload(upload)),
    delete: (key, signal) => call("delete", key, signal, () => store.delete(key)),
  };
}
