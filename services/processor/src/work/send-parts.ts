import type { EntryPart, Part } from "../archive/ports.ts";
import type { ResumePoint, StandingPart } from "../archive/resume-point.ts";
import { writeArchive } from "../archive/stream.ts";
import { JobFailure } from "../job/job-failure.ts";
import { RunLost, ShuttingDown } from "../job/run-lost.ts";
import type { ArchiveJob, Made } from "./archive-job.ts";
import { CheckpointTimer } from "./checkpoint-timer.ts";
import { doneThrough } from "./plan.ts";
import type { StoredList } from "./record-lists.ts";
import { completeSealed, type Seal } from "./seal.ts";
import { lettingFinish, storing } from "./storing.ts";
import type { UploadLog } from "./upload-log.ts";

/** Size and CRC-32 of an archive of which every part is stored. */
type Whole = { sizeBytes: number; crc32: string };

/** Sends the parts that are missing, with checkpoints. */
export async function sendParts(log: UploadLog, buffers: number, job: ArchiveJob): Promise<Whole> {
  const { layout, reader, results, clock, uploadConcurrency: concurrency, context, onProgress, zeroCopy } = job;
  const { upload } = log;
  const checkpoints = new Checkpoints(log, job);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const save = () => lettingFinish(signal, clock, (until) => checkpoints.save(until));
  const timer = new CheckpointTimer({ ...job, save, onFailure: (error) => stop.abort(error) });
  const sink = {
    async upload(part: Part, stopped: AbortSignal) {
      await timer.room();
      stopped.throwIfAborted();
      const send = (until: AbortSignal) => results.uploadPart(upload, part, until);
      log.add(part, await storing(() => lettingFinish(stopped, clock, send)));
      timer.stored(part.bytes.length);
    },
  };
  const copies = zeroCopy.copies(job, upload);
  const copier = copies && {
    ...copies,
    async copy(part: EntryPart, stopped: AbortSignal) {
      await timer.room();
      stopped.throwIfAborted();
      return await copies.copy(part, stopped);
    },
    onCopied({ length, ...part }: StandingPart & { length: number }, etag: string) {
      log.add(part, etag);
      timer.stored(length);
    },
  };
  const options = { reader, sink, copier, partSize: upload.partSize, concurrency, buffers, signal, onProgress };
  try {
    const whole = await writeArchive(layout, { ...options, from: log.point() });
    await timer.close();
    stop.signal.throwIfAborted();
    return whole;
  } catch (first) {
    const isBehind = await timer.isBehind();
    // The checkpoint that was being written meanwhile may have found out that the run is lost.
    const error = stop.signal.aborted ? stop.signal.reason : first;
    const isOurs = error instanceof ShuttingDown || (error instanceof JobFailure && !context.signal.aborted);
    // Whoever comes next can go on from here. A run that was lost or given up writes nothing more.
    if (isBehind && isOurs)
      await lettingFinish(context.signal, clock, (until) => checkpoints.save(until)).catch(ifLost);
    throw error;
  }
}

/** Seals an upload of which every part is stored, and completes it. */
export async function completeParts(log: UploadLog, whole: Whole, job: ArchiveJob): Promise<Made> {
  job.onSealing();
  const { signal } = job.context;
  const sealed = await lettingFinish(signal, job.clock, (until) => new Checkpoints(log, job).seal(whole, until));
  await completeSealed(log.upload, sealed, job);
  return { key: log.upload.key, sizeBytes: whole.sizeBytes, crc32: whole.crc32 };
}

function ifLost(error: unknown): void {
  if (error instanceof RunLost) throw error;
}

/** Writes into the record how far an upload is. */
class Checkpoints {
  readonly #log: UploadLog;
  readonly #job: ArchiveJob;

  constructor(log: UploadLog, job: ArchiveJob) {
    this.#log = log;
    this.#job = job;
  }

  async save(signal: AbortSignal): Promise<void> {
    const point = this.#log.point();
    await this.#write(point, await this.#parts(point, signal), null, signal);
  }

  /** Writes what Complete will send, and gives it. */
  async seal({ sizeBytes, crc32 }: Whole, signal: AbortSignal): Promise<Seal> {
    const point = this.#log.point();
    const parts = await this.#parts(point, signal);
    const sealed = { sizeBytes, crc32, parts };
    await this.#write(point, parts, sealed, signal);
    return sealed;
  }

  async #parts(point: ResumePoint, signal: AbortSignal): Promise<StoredList<"parts">> {
    return await this.#job.lists.keep("parts", this.#log.named(point), this.#job.record, signal);
  }

  async #write(
    point: ResumePoint,
    parts: StoredList<"parts">,
    sealed: Seal | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { record, planned, context } = this.#job;
    const cursor = this.#log.cursor(point);
    const exceptions = await this.#job.exceptions(signal);
    await context.checkpoint({
      checkpoint: { upload: this.#log.upload, parts, cursor, sealed },
      outcomes: { doneThrough: doneThrough(record, planned, cursor.entry), exceptions },
    });
  }
}
