import { archiveBytes } from "../archive/stream.ts";
import { type ArchiveJob, type Made, nameKey, withBuffers } from "./archive-job.ts";
import { storing } from "./storing.ts";

/** A small archive: made in memory, put in one request under a key that no other run has used. */
export async function makeInOnePut(job: ArchiveJob): Promise<Made> {
  const { layout, reader, results, contentType, context, onProgress } = job;
  const { signal } = context;
  const key = await nameKey(job);
  return await withBuffers(job, layout.sizeBytes, async () => {
    const { bytes, sizeBytes, crc32 } = await archiveBytes(layout, { reader, signal, onProgress });
    await storing(() => results.put(key, bytes, { contentType, crc32, signal }));
    return { key, sizeBytes, crc32 };
  });
}
