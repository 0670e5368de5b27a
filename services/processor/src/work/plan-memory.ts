import { userHash } from "@longhaul/job";
import type { PartBuffers } from "../archive/part-buffers.ts";
import type { Work } from "../job/run.ts";

/** What a file takes while its job runs, in bytes: its line of the plan, its entry and its place in the archive. */
const FILE_BYTES = 640;
/** Jobs of so few files take no part in it: as many as there are slots do no harm. */
const FEW_FILES = 2_000;

/** For the plans of all jobs of a process, bytes: in each class one job of 100,000 files at least can run. */
export const PLAN_MEMORY_BYTES = 256 * 1024 ** 2;

/**
 * Work that begins when there is memory for what it has to know about its files. It is taken before any part buffer, and
 * given back after all of them, so that nobody who holds one waits for somebody who waits for the other.
 */
export function withPlanMemory(work: Work, memory: PartBuffers): Work {
  return async (record, context) => {
    const { tenant, user, spec } = record;
    const { filesTotal, class: jobClass } = spec;
    if (filesTotal <= FEW_FILES) return await work(record, context);
    const bytes = Math.min(filesTotal * FILE_BYTES, memory.shareOf(jobClass));
    const request = { jobClass, owner: userHash(tenant, user), bytes };
    const { release } = await memory.reserve(request, context.signal);
    try {
      return await work(record, context);
    } finally {
      release();
    }
  };
}
