import type { Objects } from "@longhaul/objects";
import { type Logger, systemClock, systemRandom } from "@longhaul/runtime";
import { PartBuffers } from "../archive/part-buffers.ts";
import { PART_MIN_BYTES } from "../archive/part-size.ts";
import type { ProcessorConfig } from "../config.ts";
import type { Work } from "../job/run.ts";
import { createResultStore } from "../result-store.ts";
import type { Sources } from "../source/sources.ts";
import { createArchiveWork } from "./archive.ts";
import { createBorrow } from "./borrow.ts";
import { withIdleLimit } from "./idle-limit.ts";
import { createListing } from "./listing.ts";
import { createNoOp } from "./no-op.ts";
import { PLAN_MEMORY_BYTES, withPlanMemory } from "./plan-memory.ts";
import { RecordLists } from "./record-lists.ts";
import { createWork } from "./work.ts";
import { ZeroCopy } from "./zero-copy.ts";

export type ProcessorWorkDeps = {
  config: ProcessorConfig;
  objects: Objects;
  sources: Sources;
  partBuffers: PartBuffers;
  log: Logger;
};

/** The work of a processor, with the memory that all its jobs share. */
export function createProcessorWork({ config, objects, sources, partBuffers, log }: ProcessorWorkDeps): Work {
  const { now } = systemClock;
  const files = {
    ...config,
    sourceOf: sources.of,
    lists: new RecordLists(objects.payloads),
    clock: systemClock,
    random: systemRandom,
  };
  const archive = createArchiveWork({
    ...files,
    results: createResultStore(objects.results),
    partBuffers,
    minPartBytes: PART_MIN_BYTES,
    zeroCopy: new ZeroCopy({
      ...config,
      locate: objects.isOneStore ? sources.locate : null,
      onRefused: (fileId, why) =>
        log.warn({ fileId, reason: why.message }, "the store does not copy a large file: it is read"),
    }),
  });
  const planMemory = new PartBuffers(PLAN_MEMORY_BYTES);
  const limited = (work: Work) => withIdleLimit(work, config.jobIdleTimeoutMs);
  return createWork({
    noOp: createNoOp(now),
    borrow: limited(createBorrow(sources.objectsOf, files)),
    listing: withPlanMemory(limited(createListing(files)), planMemory),
    archive: withPlanMemory(limited(archive), planMemory),
  });
}
