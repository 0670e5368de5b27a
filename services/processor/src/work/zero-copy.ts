import { crc32 } from "node:zlib";
import type { JobRecord } from "@longhaul/contracts";
import { type ObjectRange, ObjectsError } from "@longhaul/objects";
import type { Clock, Settings, zeroCopyConfig } from "@longhaul/runtime";
import type { ArchiveEntry } from "../archive/archive-entry.ts";
import { crc32Hex } from "../archive/crc32.ts";
import type { Layout } from "../archive/layout.ts";
import type { CopiedPart, EntryPart, EntryReader, PartCopier } from "../archive/ports.ts";
import { JobFailure } from "../job/job-failure.ts";
import type { ResultStore } from "../job/ports.ts";
import type { PlannedFile } from "../source/source.ts";
import type { PlannedFiles } from "./plan.ts";
import { lettingFinish, storing } from "./storing.ts";
import type { Upload } from "./upload-log.ts";

export type ZeroCopyOptions = Settings<typeof zeroCopyConfig> & {
  /** Where a file of an S3 source lies; null when that is not in the store of the results. */
  locate: ((file: PlannedFile) => Pick<ObjectRange, "bucket" | "key">) | null;
  /** Told when a large file is read because the store does not copy it. */
  onRefused(fileId: number, why: Error): void;
};

type Copies = Pick<PartCopier, "canCopy" | "copy">;
type CopiedJob = {
  record: JobRecord;
  planned: PlannedFiles;
  layout: Layout;
  reader: EntryReader;
  results: Pick<ResultStore, "copyPart">;
  clock: Clock;
};

/** The probe is a part that no archive has: Complete does not name it, and so the store drops it. */
const PROBE_PART = 10_000;
const PROBE_BYTES = 65_536;
/** Answers that say that copies of a file will not work. */
const REFUSALS: readonly ObjectsError["code"][] = ["UNSUPPORTED", "NO_BUCKET", "DENIED", "REJECTED"];
/** Those of them that hold for every file. */
const FINAL_REFUSALS: readonly ObjectsError["code"][] = ["UNSUPPORTED", "NO_BUCKET"];

/**
 * The copies that the store makes by itself (S3 `UploadPartCopy`) of parts inside large files of an S3 source. What it
 * says of a copy is believed only after a probe of the same file: some stores say the CRC of the whole object, and would
 * take it for that of the part when they check the archive.
 */
export class ZeroCopy {
  readonly #options: ZeroCopyOptions;
  /** The store has refused for good: nobody asks again. */
  #isOff: boolean;

  constructor(options: ZeroCopyOptions) {
    this.#options = options;
    this.#isOff = options.zeroCopy === "off" || options.locate === null;
  }

  /** What can be copied into an upload of the job; undefined when nothing can. */
  copies(job: CopiedJob, upload: Upload): Copies | undefined {
    if (this.#isOff || job.record.spec.sourceKind !== "s3") return undefined;
    const copy = (part: EntryPart, stopped: AbortSignal) =>
      storing(() => lettingFinish(stopped, job.clock, (until) => this.#copy(job, upload, part, until)));
    return { canCopy: (index, signal) => this.#canCopy(job, index, copy, signal), copy };
  }

  async #canCopy(job: CopiedJob, index: number, copy: Copies["copy"], signal: AbortSignal): Promise<boolean> {
    const file = job.planned.present[index];
    // Without an ETag nobody could tell whether all parts are of one version.
    if (this.#isOff || !file || file.etag === null || file.sizeBytes < this.#options.zeroCopyMinBytes) return false;
    const length = Math.min(PROBE_BYTES, file.sizeBytes);
    const expected = await crcOfBegin(job, index, length, signal);
    try {
      const told = await copy({ number: PROBE_PART, index, offset: 0, length }, signal);
      if (told.crc32 === expected) return true;
      this.#options.onRefused(file.fileId, new Error(`it says CRC ${told.crc32} of bytes that have ${expected}`));
      return false;
    } catch (error) {
      const refusal = error instanceof JobFailure && error.cause instanceof ObjectsError ? error.cause : null;
      if (refusal === null || !REFUSALS.includes(refusal.code)) throw error;
      this.#isOff ||= FINAL_REFUSALS.includes(refusal.code);
      this.#options.onRefused(file.fileId, refusal);
      return false;
    }
  }

  async #copy(
    { planned, results }: CopiedJob,
    upload: Upload,
    { number, index, offset, length }: EntryPart,
    signal: AbortSignal,
  ): Promise<CopiedPart> {
    const file = planned.present[index];
    const place = file && this.#options.locate?.(file);
    if (!place || file.etag === null) throw new Error(`entry ${index} cannot be copied`);
    try {
      return await results.copyPart(upload, number, { ...place, etag: file.etag, offset, length }, signal);
    } catch (error) {
      if (!(error instanceof ObjectsError)) throw error;
      throw error.code === "CONFLICT" ? changed(file.fileId, error) : error;
    }
  }
}

/** CRC-32 of the first bytes of an entry. */
async function crcOfBegin(
  { layout, reader }: CopiedJob,
  index: number,
  length: number,
  signal: AbortSignal,
): Promise<string> {
  let crc = 0;
  let left = length;
  for await (const piece of reader.open(layout.entries[index] as ArchiveEntry, index, 0, signal)) {
    crc = crc32(piece.subarray(0, left), crc);
    left -= Math.min(left, piece.length);
    if (left === 0) break;
  }
  return crc32Hex(crc);
}

function changed(fileId: number, cause: ObjectsError): JobFailure {
  return new JobFailure({ stage: "read-source", code: "SOURCE_CHANGED", fileId }, { cause });
}
