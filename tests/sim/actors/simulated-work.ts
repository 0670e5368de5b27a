import { AsyncLocalStorage } from "node:async_hooks";
import { PartBuffers } from "../../../services/processor/src/archive/part-buffers.ts";
import type { ResultStore } from "../../../services/processor/src/job/ports.ts";
import type { Work } from "../../../services/processor/src/job/run.ts";
import { createArchiveWork } from "../../../services/processor/src/work/archive.ts";
import { createBorrow } from "../../../services/processor/src/work/borrow.ts";
import { createListing } from "../../../services/processor/src/work/listing.ts";
import { createNoOp } from "../../../services/processor/src/work/no-op.ts";
import { RecordLists } from "../../../services/processor/src/work/record-lists.ts";
import { createWork } from "../../../services/processor/src/work/work.ts";
import { ZeroCopy } from "../../../services/processor/src/work/zero-copy.ts";
import type { Process } from "../kernel/process.ts";
import { createObjectClient, type StoreCall } from "../objects/object-client.ts";
import { createPayloadClient } from "../objects/payload-client.ts";
import { createSimulatedSource, placeOf } from "../objects/simulated-source.ts";
import { inlineLimits } from "../options.ts";
import type { Scene } from "../scene.ts";

const MIB = 1024 ** 2;
/** So small that an archive of a few hundred bytes has several parts. */
const PART_BYTES = 600;
/** So small that of most files some part is copied. */
const COPY_MIN_BYTES = 1_000;
/** So little that archives wait for each other. */
const PART_BUFFER_BYTES = 16 * PART_BYTES;

/** The run that the present code works for: whoever calls the store is known by it. */
const currentRun = new AsyncLocalStorage<string>();

/** The real work of a processor, on the simulated store and sources. */
export function createSimulatedWork(process: Process, { world, store, witnesses }: Scene): Work {
  const source = createSimulatedSource(process, world);
  const onCall: StoreCall = (what, key) => witnesses.onStoreCall(process, currentRun.getStore() ?? null, what, key);
  const client = createObjectClient(process, store, world, onCall);
  const results: ResultStore = {
    ...client,
    async uploadPart(...part) {
      const etag = await client.uploadPart(...part);
      witnesses.onPartSent(currentRun.getStore() ?? "no run", etag);
      return etag;
    },
    async copyPart(...part) {
      const copied = await client.copyPart(...part);
      witnesses.onPartSent(currentRun.getStore() ?? "no run", copied.etag);
      return copied;
    },
  };
  const payloads = createPayloadClient(process, store, world, onCall);
  const { clock, random } = process;
  const limits = { fileMaxBytes: MIB, jobMaxBytes: MIB };
  const tries = { fileTries: 3, retryBaseMs: 2_000, clock, random };
  const lists = new RecordLists(payloads, inlineLimits(world).inlineMaxBytes);
  const work = createWork({
    noOp: createNoOp(clock.now),
    listing: createListing({ ...limits, ...tries, sourceOf: () => source, lists }),
    borrow: createBorrow(() => source, { ...limits, ...tries }),
    archive: createArchiveWork({
      ...limits,
      ...tries,
      sourceOf: () => source,
      results,
      lists,
      partBuffers: new PartBuffers(PART_BUFFER_BYTES),
      uploadConcurrency: world.options.uploadConcurrency,
      minPartBytes: PART_BYTES,
      zeroCopy: new ZeroCopy({
        zeroCopy: "auto",
        zeroCopyMinBytes: COPY_MIN_BYTES,
        locate: placeOf,
        onRefused: () => world.statistics.count("stores that do not copy"),
      }),
      ...world.options.checkpoints,
    }),
  });
  return (record, context) => {
    const run = record.run?.id;
    if (!run) throw new Error("work without a run");
    return currentRun.run(run, () => work(record, context));
  };
}
