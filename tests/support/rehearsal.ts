import { createHash, randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { JobRecord, UploadedPart, Usage } from "@longhaul/contracts";
import { addUsage, checkpointed, claim, type InlineMaxBytes, resultKey, takeOver } from "@longhaul/job";
import type { Objects } from "@longhaul/objects";
import { systemClock, systemRandom } from "@longhaul/runtime";
import { aRun, recordIn, specOf, written } from "../../libs/job/src/testing/index.ts";
import { PartBuffers } from "../../services/processor/src/archive/part-buffers.ts";
import { PART_MIN_BYTES } from "../../services/processor/src/archive/part-size.ts";
import { entryOf, piecesOf } from "../../services/processor/src/archive/testing/sources.ts";
import type { ResultStore } from "../../services/processor/src/job/ports.ts";
import type { Completion, WorkContext, WorkState } from "../../services/processor/src/job/run.ts";
import { createResultStore } from "../../services/processor/src/result-store.ts";
import type { PlannedFile, Source } from "../../services/processor/src/source/source.ts";
import { createArchiveWork } from "../../services/processor/src/work/archive.ts";
import { RecordLists } from "../../services/processor/src/work/record-lists.ts";
import { ZeroCopy } from "../../services/processor/src/work/zero-copy.ts";
import { type Call, type Moment, RunCalls } from "./run-calls.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** Five parts, the last a short one; two lie inside the first file. Only of the second file the CRC is told. */
const FILES = [
  { name: "first.bin", sizeBytes: 17 * MIB + 17, seed: 1 },
  { name: "second.bin", sizeBytes: 1 * MIB, seed: 2 },
  { name: "third.bin", sizeBytes: 5 * MIB + 1, seed: 3 },
];
const FIRST_ID = 90_000_000;
/** What all files have together, bytes. */
export const FILE_BYTES = FILES.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** The files as objects of the source bucket, by their ETags. */
export type StoredFiles = readonly string[];

const keyOf = (fileId: number) => `rehearsal/${fileId}`;

/** Puts the files where the store can copy parts of an archive from. */
export async function storeFiles({ source }: Objects): Promise<StoredFiles> {
  const etags: string[] = [];
  for (const [i, file] of FILES.entries()) {
    const bytes = Buffer.concat([...piecesOf(file)]);
    const options = { sizeBytes: bytes.length, contentType: "application/octet-stream" };
    etags.push((await source.put(keyOf(FIRST_ID + i), bytes, options)).etag);
  }
  return etags;
}

/** What one run has done: bytes of files that it read, and of parts that it sent or had the store copy. */
type Done = { filesFound: number; bytesRead: number; bytesSent: number; bytesCopied: number };
const NOTHING_DONE: Done = { filesFound: 0, bytesRead: 0, bytesSent: 0, bytesCopied: 0 };

/** Reads as an S3 source does, and counts. */
class CountedSource implements Source {
  readonly #done: Done;
  readonly #stored: StoredFiles | null;

  constructor(done: Done, stored: StoredFiles | null) {
    this.#done = done;
    this.#stored = stored;
  }

  async find(fileId: number): Promise<PlannedFile> {
    this.#done.filesFound += 1;
    const index = fileId - FIRST_ID;
    const { name, sizeBytes, crc32, modifiedAt } = entryOf(fileOf(fileId), index === 1);
    const etag = this.#stored?.[index] ?? `"${index}"`;
    return { fileId, name, sizeBytes, etag, crc32, modifiedAt: new Date(modifiedAt) };
  }

  async *open({ fileId }: PlannedFile, offset: number): AsyncGenerator<Uint8Array> {
    for (const piece of piecesOf(fileOf(fileId), undefined, offset)) {
      this.#done.bytesRead += piece.length;
      yield Buffer.from(piece);
      await nextTurn();
    }
  }
}

function callOf({ plan, checkpoint }: WorkState): Call {
  if (plan && !checkpoint) return "plan";
  return checkpoint?.sealed ? "seal" : "checkpoint";
}

function fileOf(fileId: number): (typeof FILES)[number] {
  const file = FILES[fileId - FIRST_ID];
  if (!file) throw new Error(`no file ${fileId}`);
  return file;
}

/** A job that makes an archive in parts, in a record of its own, and runs of it to which something happens. */
export class Rehearsal {
  record: JobRecord;
  /** In the latest run. One that is dead may still read a little. */
  done = NOTHING_DONE;
  readonly #objects: Objects;
  readonly #lists: RecordLists;
  readonly #stored: StoredFiles | null;
  #usage = () => this.record.usage;

  /**
   * `inlineMaxBytes`: how long a list in the record may be, where it differs from the rule. `stored`: parts inside the
   * large file are copied by the store.
   */
  constructor(objects: Objects, options: { inlineMaxBytes?: InlineMaxBytes; stored?: StoredFiles } = {}) {
    const { inlineMaxBytes, stored = null } = options;
    this.#stored = stored;
    const fileIds = FILES.map((_, i) => FIRST_ID + i);
    this.record = { ...recordIn("queued"), id: randomUUID(), spec: specOf({ fileIds, archive: "zip" }) };
    this.#objects = objects;
    this.#lists = new RecordLists(objects.payloads, inlineMaxBytes);
  }

  /** The parts that the record's checkpoint names, where it has their list. */
  get named(): UploadedPart[] {
    const { parts = [] } = this.record.checkpoint ?? {};
    if (!Array.isArray(parts)) throw new Error("the list of parts lies beside the record");
    return parts;
  }

  /** What the job has used so far: a run that is dead adds no more. */
  get usage(): Usage {
    return this.#usage();
  }

  /** The upload that the record names. */
  get upload(): { key: string; id: string } {
    const { key, id = null } = this.record.checkpoint?.upload ?? {};
    if (key === undefined || id === null) throw new Error("no upload is named");
    return { key, id };
  }

  /**
   * Claims the job or takes it over, and works on it: to its end, or up to a moment at which it dies, or at which
   * something else happens. Null: it died.
   */
  async run(moment: Moment | null = null, happens?: () => unknown, signal?: AbortSignal): Promise<Completion | null> {
    const calls = new RunCalls(moment, happens);
    const done = { ...NOTHING_DONE };
    this.done = done;
    const source = new CountedSource(done, this.#stored);
    const key = resultKey(this.record, randomUUID());
    const take = this.record.status === "running" ? takeOver : claim;
    this.record = written(take(this.record, { run: aRun({ id: randomUUID() }), key, now: new Date() }));
    const work = createArchiveWork({
      ...{ sourceOf: () => source, results: this.#store(calls, done), lists: this.#lists },
      zeroCopy: this.#zeroCopy(),
      ...{ clock: systemClock, random: systemRandom, fileTries: 1, retryBaseMs: 100 },
      ...{ fileMaxBytes: GIB, jobMaxBytes: GIB, minPartBytes: PART_MIN_BYTES, uploadConcurrency: 2 },
      ...{ checkpointIntervalMs: 3_600_000, checkpointBytes: 2 * PART_MIN_BYTES, partBuffers: new PartBuffers(GIB) },
    });
    const working = work(this.record, this.#context(calls, signal ?? new AbortController().signal));
    return await Promise.race([working, calls.died]);
  }

  /** The run was given back: nobody has the job. */
  handBack(): void {
    this.record = { ...this.record, status: "queued", run: null };
  }

  async sha256(completion: Completion | null): Promise<string> {
    const hash = createHash("sha256");
    const { signal } = new AbortController();
    const key = completion?.result.key ?? "";
    for await (const piece of this.#objects.results.open(key, { offset: 0, etag: null, signal })) hash.update(piece);
    return hash.digest("hex");
  }

  #zeroCopy(): ZeroCopy {
    const bucket = this.#objects.source.name;
    return new ZeroCopy({
      ...{ zeroCopy: "auto", zeroCopyMinBytes: 6 * MIB },
      locate: this.#stored && (({ fileId }) => ({ bucket, key: keyOf(fileId) })),
      onRefused(_, why) {
        throw why;
      },
    });
  }

  #context(calls: RunCalls, signal: AbortSignal): WorkContext {
    let { progress, usage } = this.record;
    this.#usage = () => usage;
    const write = (state: Partial<Parameters<typeof checkpointed>[1]>) => {
      const { checkpoint, outcomes } = this.record;
      const said = { checkpoint, outcomes, progress, usage, now: new Date(), ...state };
      const change = checkpointed(this.record, said);
      this.record = written(change);
    };
    return {
      signal,
      report(next) {
        progress = next;
      },
      used: (more) => {
        usage = addUsage(usage, more);
      },
      checkpoint: (state) => calls.make(callOf(state), async () => write(state)),
      waiting: (wait) => wait,
    };
  }

  #store(calls: RunCalls, done: Done): ResultStore {
    const store = createResultStore(this.#objects.results);
    const made = <Args extends unknown[], T>(at: Call, call: (...args: Args) => Promise<T>) => {
      return (...args: Args) => calls.make(at, () => call(...args));
    };
    return {
      ...store,
      createUpload: made("create upload", store.createUpload),
      uploadPart: made("part", (upload, part, signal) => {
        done.bytesSent += part.bytes.length;
        return store.uploadPart(upload, part, signal);
      }),
      copyPart: (upload, number, from, signal) => {
        const copy = () => store.copyPart(upload, number, from, signal);
        // A probe is no part.
        if (from.length < PART_MIN_BYTES) return copy();
        return calls.make("part", () => {
          done.bytesCopied += from.length;
          return copy();
        });
      },
      completeUpload: made("complete", store.completeUpload),
      head: made("head", store.head),
    };
  }
}
